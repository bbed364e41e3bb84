locals {
  # Everything of an environment is its own, its state too. The account's part has one more.
  states = merge(
    { for stage in var.environments : "${stage}_jm_nyanko_terraform" => "${stage}-jm-nyanko-terraform-state" },
    { jm_nyanko_account_terraform = "jm-nyanko-account-terraform-state-${var.account_id}" },
  )
}

module "key" {
  source   = "../modules/keys"
  for_each = local.states

  name       = "${each.key}_state"
  account_id = var.account_id
  region     = var.region
}

module "bucket" {
  source   = "../modules/bucket"
  for_each = local.states

  name              = each.value
  kms_key_arn       = module.key[each.key].arn
  expire_after_days = { "plans/" = 7 }
}

resource "aws_dynamodb_table" "lock" {
  for_each = local.states

  name                        = "${each.key}_lock"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "LockID"
  deletion_protection_enabled = true

  attribute {
    name = "LockID"
    type = "S"
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = module.key[each.key].arn
  }
}
