mock_provider "aws" {}

variables {
  account_id   = "111111111111"
  environments = ["stg", "prod"]
}

run "each_environment_has_a_state_a_key_and_a_lock_of_its_own" {
  command = plan

  assert {
    condition = toset(values(local.states)) == toset([
      "stg-jm-nyanko-terraform-state", "prod-jm-nyanko-terraform-state", "jm-nyanko-account-terraform-state-111111111111",
    ])
    error_message = "a state is missing or shared"
  }

  assert {
    condition = toset([for table in aws_dynamodb_table.lock : table.name]) == toset([
      "stg_jm_nyanko_terraform_lock", "prod_jm_nyanko_terraform_lock", "jm_nyanko_account_terraform_lock",
    ])
    error_message = "a lock is missing or shared"
  }
}

run "locks_are_protected" {
  command = plan

  assert {
    condition = alltrue([
      for table in aws_dynamodb_table.lock :
      table.deletion_protection_enabled && table.point_in_time_recovery[0].enabled && table.server_side_encryption[0].enabled
    ])
    error_message = "a lock table can be lost"
  }
}

run "an_account_may_hold_one_environment" {
  command = plan

  variables {
    environments = ["prod"]
  }

  assert {
    condition     = !contains(values(local.states), "stg-jm-nyanko-terraform-state")
    error_message = "stg's state does not belong in prod's account"
  }
}
