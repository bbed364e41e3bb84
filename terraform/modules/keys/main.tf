locals {
  # DynamoDB, SQS, Secrets Manager and Lambda use the key in the name of whoever calls them, so that IAM
  # policies decide. These services come by themselves.
  statements = {
    logs = {
      Sid       = "EncryptLogGroups"
      Effect    = "Allow"
      Principal = { Service = "logs.${var.region}.amazonaws.com" }
      Action    = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
      Resource  = "*"
      Condition = {
        ArnLike = {
          "kms:EncryptionContext:aws:logs:arn" = "arn:aws:logs:${var.region}:${var.account_id}:log-group:*${replace(var.name, "_", "?")}*"
        }
      }
    }
    alarms = {
      Sid       = "PublishAlarms"
      Effect    = "Allow"
      Principal = { Service = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com", "sns.amazonaws.com"] }
      Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
      Resource  = "*"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }
    # EventBridge's calls to KMS carry neither aws:SourceAccount nor aws:SourceArn: a condition on them would drop
    # every event (https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html).
    events = {
      Sid       = "DeliverEvents"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
      Resource  = "*"
    }
  }
}

resource "aws_kms_key" "this" {
  description             = "Everything of ${var.name} at rest"
  enable_key_rotation     = true
  deletion_window_in_days = var.deletion_window_in_days

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid       = "LetIamDecide"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::${var.account_id}:root" }
        Action    = "kms:*"
        Resource  = "*"
      }],
      [for service in sort(var.services) : local.statements[service]],
      var.statements,
    )
  })
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.this.key_id
}
