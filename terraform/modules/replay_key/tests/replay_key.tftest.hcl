mock_provider "aws" {}

variables {
  name       = "stg_jm_nyanko"
  account_id = "111111111111"
}

run "the_key_signs_and_does_nothing_else" {
  command = plan

  assert {
    condition     = aws_kms_key.this.key_usage == "GENERATE_VERIFY_MAC" && aws_kms_key.this.customer_master_key_spec == "HMAC_256"
    error_message = "replays are signed with HMAC-SHA-256"
  }

  assert {
    condition     = aws_kms_alias.this.name == "alias/stg_jm_nyanko_replay"
    error_message = "the operations CLI finds the key by its alias"
  }
}
