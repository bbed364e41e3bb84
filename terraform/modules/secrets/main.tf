locals {
  secrets = {
    stripe_api_key         = "Stripe's restricted or secret API key"
    stripe_webhook_secrets = "Signing secrets of Stripe's webhook, divided by white space: two while one is rolled"
    joinmake_api_key       = "The API key of Join&make's user API"
  }
}

# Only the names: a value that Terraform knows stands in its state, so people put the values in.
resource "aws_secretsmanager_secret" "this" {
  for_each = local.secrets

  name                    = "${var.name}_${each.key}"
  description             = each.value
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.recovery_window_in_days
}
