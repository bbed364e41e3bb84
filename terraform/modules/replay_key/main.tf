# Operators sign replays with it, and VerifyEvent checks them. Functions cannot sign: their permissions boundary has
# kms:VerifyMac alone.
resource "aws_kms_key" "this" {
  description              = "Signatures of replays of ${var.name}"
  key_usage                = "GENERATE_VERIFY_MAC"
  customer_master_key_spec = "HMAC_256"
  deletion_window_in_days  = 30

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "LetIamDecide"
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::${var.account_id}:root" }
      Action    = "kms:*"
      Resource  = "*"
    }]
  })
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}_replay"
  target_key_id = aws_kms_key.this.key_id
}
