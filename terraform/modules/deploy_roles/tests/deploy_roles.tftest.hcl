mock_provider "aws" {
  mock_resource "aws_iam_policy" {
    defaults = {
      arn = "arn:aws:iam::111111111111:policy/stg_jm_nyanko_policy"
    }
  }
}

variables {
  name              = "stg_jm_nyanko"
  stage             = "stg"
  account_id        = "111111111111"
  region            = "ap-northeast-1"
  github_repository = "joinmake/jm_nyanko"
  branch            = "develop"
  zone_id           = "Z0000000000000000000"
  kms_key_arns      = ["arn:aws:kms:ap-northeast-1:111111111111:key/11111111-1111-1111-1111-111111111111"]
  smoke_test        = true
}

run "every_role_is_bound_to_repository_environment_and_branch" {
  command = plan

  assert {
    condition = alltrue(flatten([
      for noun, role in aws_iam_role.github : [
        for subject in flatten([jsondecode(role.assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"]]) :
        can(regex("^repo:joinmake/jm_nyanko:environment:stg(-plan)?:ref:refs/heads/(develop|main)$", subject))
        && jsondecode(role.assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:aud"] == "sts.amazonaws.com"
      ]
    ]))
    error_message = "a role can be assumed from elsewhere"
  }

  assert {
    condition     = jsondecode(aws_iam_role.github["deploy"].assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"] == ["repo:joinmake/jm_nyanko:environment:stg:ref:refs/heads/develop"]
    error_message = "only the branch develop deploys to stg"
  }
}

run "roles_of_the_template_carry_the_boundary" {
  command = plan

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_policy.this["functions"].policy).Statement :
      try(statement.Condition.StringEquals["iam:PermissionsBoundary"], "") == "arn:aws:iam::111111111111:policy/stg_jm_nyanko_boundary"
      if contains(flatten([statement.Action]), "iam:CreateRole") || contains(flatten([statement.Action]), "iam:PutRolePolicy") || contains(flatten([statement.Action]), "iam:AttachRolePolicy")
    ])
    error_message = "a role without the boundary could do anything"
  }

  assert {
    condition     = !anytrue([for statement in jsondecode(aws_iam_policy.this["boundary"].policy).Statement : anytrue([for action in flatten([statement.Action]) : startswith(action, "iam:") || strcontains(action, "*")])])
    error_message = "the boundary lists actions one by one, and none of IAM's"
  }
}

run "the_pipeline_writes_no_roles_and_reads_no_secrets" {
  command = plan

  assert {
    condition = !anytrue(flatten([
      for policy in ["state", "read", "apply", "deploy"] : [
        for statement in jsondecode(aws_iam_policy.this[policy].policy).Statement : [
          for action in flatten([statement.Action]) :
          can(regex("^iam:(\\*|Create|Put|Attach|Update|Delete|Set)", action)) || contains(["secretsmanager:GetSecretValue", "secretsmanager:*", "*"], action)
        ] if statement.Effect == "Allow"
      ]
    ]))
    error_message = "the pipeline could widen its own permissions or read Stripe's key"
  }
}

run "the_plan_role_changes_nothing" {
  command = plan

  assert {
    condition = alltrue(flatten([
      for policy in local.roles.plan.policies : [
        for statement in jsondecode(aws_iam_policy.this[policy].policy).Statement : [
          for action in flatten([statement.Action]) :
          can(regex(":(Describe|Get|List|View|GET)", action)) || contains(["kms:Decrypt", "kms:GenerateDataKey", "dynamodb:PutItem", "dynamodb:DeleteItem", "s3:PutObject", "cloudwatch:PutMetricData"], action)
        ] if statement.Effect == "Allow"
      ]
    ]))
    error_message = "beside its lock, its plan and its drift report, a plan only reads"
  }
}

run "policies_fit_into_iam" {
  command = plan

  assert {
    condition     = alltrue([for policy in aws_iam_policy.this : length(policy.policy) <= 6144])
    error_message = "a managed policy has at most 6,144 characters"
  }
}

run "prod_has_no_role_that_buys" {
  command = plan

  variables {
    smoke_test = false
  }

  assert {
    condition     = toset(keys(aws_iam_role.github)) == toset(["plan", "deploy"])
    error_message = "a purchase in prod would be a real one"
  }
}

run "a_wildcard_is_no_repository" {
  command = plan

  variables {
    github_repository = "joinmake/*"
  }

  expect_failures = [var.github_repository]
}

run "a_wildcard_is_no_branch" {
  command = plan

  variables {
    branch = "*"
  }

  expect_failures = [var.branch]
}
