mock_provider "aws" {}

variables {
  name        = "stg_jm_nyanko"
  kms_key_arn = "arn:aws:kms:ap-northeast-1:111111111111:key/11111111-1111-1111-1111-111111111111"
}

run "secrets_carry_the_environments_name_and_our_key" {
  command = plan

  assert {
    condition = alltrue([
      for noun, secret in aws_secretsmanager_secret.this :
      secret.name == "stg_jm_nyanko_${noun}" && secret.kms_key_id == var.kms_key_arn
    ])
    error_message = "a secret is misnamed or not encrypted with our key"
  }
}

run "a_deletion_can_be_taken_back" {
  command = plan

  assert {
    condition     = alltrue([for secret in aws_secretsmanager_secret.this : secret.recovery_window_in_days == 30])
    error_message = "a deleted secret must be recoverable"
  }
}
