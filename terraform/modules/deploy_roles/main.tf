locals {
  hyphened = replace(var.name, "_", "-")

  # Tokens whose subject is customised to repository, environment and branch
  # (https://docs.github.com/actions/reference/security/oidc).
  subjects = {
    deploy = ["repo:${var.github_repository}:environment:${var.stage}:ref:refs/heads/${var.branch}"]
    smoke  = ["repo:${var.github_repository}:environment:${var.stage}:ref:refs/heads/${var.branch}"]
    plan = [
      for branch in distinct([var.branch, var.scheduled_branch]) :
      "repo:${var.github_repository}:environment:${var.stage}-plan:ref:refs/heads/${branch}"
    ]
  }

  roles = {
    plan   = { description = "Reads what is, to show what Terraform would change", policies = ["state", "read", "plan"] }
    deploy = { description = "Applies a plan that was shown, and starts a deployment", policies = ["state", "read", "apply", "deploy"] }
    smoke  = { description = "Buys in test mode after a deployment", policies = ["smoke"] }
  }

  # A purchase in prod would be a real one.
  left_out = var.smoke_test ? [] : ["smoke"]
}

resource "aws_iam_role" "github" {
  for_each = { for noun, role in local.roles : noun => role if !contains(local.left_out, noun) }

  name                 = "${var.name}_${each.key}"
  description          = each.value.description
  max_session_duration = 3600

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "GitHubActions"
      Effect    = "Allow"
      Principal = { Federated = "arn:aws:iam::${var.account_id}:oidc-provider/token.actions.githubusercontent.com" }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
          "token.actions.githubusercontent.com:sub" = local.subjects[each.key]
        }
      }
    }]
  })
}

resource "aws_iam_role" "cloudformation" {
  name        = "${var.name}_cloudformation"
  description = "What CloudFormation may do to make what template.yaml says"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "CloudFormation"
      Effect    = "Allow"
      Principal = { Service = "cloudformation.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.account_id }
        ArnLike      = { "aws:SourceArn" = "arn:aws:cloudformation:${var.region}:${var.account_id}:stack/${local.hyphened}/*" }
      }
    }]
  })
}

resource "aws_iam_policy" "this" {
  for_each = { for noun, policy in local.policies : noun => policy if !contains(local.left_out, noun) }

  name        = "${var.name}_${each.key}"
  description = each.value.description

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = each.value.statements
  })
}

resource "aws_iam_role_policy_attachment" "github" {
  for_each = merge([
    for noun in keys(aws_iam_role.github) : {
      for policy in local.roles[noun].policies : "${noun} ${policy}" => { role = noun, policy = policy }
    }
  ]...)

  role       = aws_iam_role.github[each.value.role].name
  policy_arn = aws_iam_policy.this[each.value.policy].arn
}

resource "aws_iam_role_policy_attachment" "cloudformation" {
  for_each = toset(["template", "functions"])

  role       = aws_iam_role.cloudformation.name
  policy_arn = aws_iam_policy.this[each.key].arn
}
