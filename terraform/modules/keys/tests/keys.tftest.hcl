mock_provider "aws" {}

variables {
  name       = "stg_jm_nyanko"
  account_id = "111111111111"
  region     = "ap-northeast-1"
  services   = ["logs", "alarms", "events"]
}

run "the_key_rotates_and_its_deletion_can_be_taken_back" {
  command = plan

  assert {
    condition     = aws_kms_key.this.enable_key_rotation && aws_kms_key.this.deletion_window_in_days == 30
    error_message = "the key must rotate, and a deletion must be revocable for 30 days"
  }
}

run "only_log_groups_of_the_same_name_may_use_it" {
  command = plan

  assert {
    condition = one([
      for statement in jsondecode(aws_kms_key.this.policy).Statement : statement
      if statement.Sid == "EncryptLogGroups"
    ]).Condition.ArnLike["kms:EncryptionContext:aws:logs:arn"] == "arn:aws:logs:ap-northeast-1:111111111111:log-group:*stg?jm?nyanko*"
    error_message = "log groups of another environment could use the key"
  }
}

run "eventbridge_reaches_the_encrypted_dead_letter_queue" {
  command = plan

  assert {
    condition = one([
      for statement in jsondecode(aws_kms_key.this.policy).Statement : try(statement.Condition, null) == null
      if statement.Sid == "DeliverEvents"
    ])
    error_message = "a condition on EventBridge's statement drops its events silently"
  }
}

run "nobody_outside_the_account_may_use_it" {
  command = plan

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_kms_key.this.policy).Statement :
      try(statement.Principal.AWS, "arn:aws:iam::111111111111:root") == "arn:aws:iam::111111111111:root"
    ])
    error_message = "only the account itself is a principal"
  }
}

run "services_that_are_not_asked_for_get_nothing" {
  command = plan

  variables {
    services = []
  }

  assert {
    condition     = length(jsondecode(aws_kms_key.this.policy).Statement) == 1
    error_message = "only the account's own statement is always there"
  }
}
