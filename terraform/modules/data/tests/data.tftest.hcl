mock_provider "aws" {}

variables {
  name                = "prod_jm_nyanko"
  kms_key_arn         = "arn:aws:kms:ap-northeast-1:111111111111:key/11111111-1111-1111-1111-111111111111"
  deletion_protection = true
  max_request_units   = 4000
}

run "every_table_can_be_restored_and_is_encrypted_with_our_key" {
  command = plan

  assert {
    condition = alltrue([
      for table in aws_dynamodb_table.this :
      table.point_in_time_recovery[0].enabled
      && table.server_side_encryption[0].kms_key_arn == var.kms_key_arn
      && table.deletion_protection_enabled
    ])
    error_message = "every table needs point-in-time recovery, our key and deletion protection"
  }
}

run "every_noun_of_tables_json_is_a_table_named_after_the_environment" {
  command = plan

  assert {
    condition = toset([for table in aws_dynamodb_table.this : table.name]) == toset([
      for noun in keys(jsondecode(file("tables.json"))) : "prod_jm_nyanko_${noun}"
    ])
    error_message = "tables and tables.json differ"
  }
}

run "demand_is_capped_on_tables_and_indexes" {
  command = plan

  assert {
    condition = alltrue(flatten([
      for table in aws_dynamodb_table.this : [
        table.on_demand_throughput[0].max_write_request_units == 4000,
        [for index in table.global_secondary_index : index.on_demand_throughput[0].max_write_request_units == 4000],
      ]
    ]))
    error_message = "without a cap a flood of requests has no upper bound to its price"
  }
}

run "expiring_rows_expire" {
  command = plan

  assert {
    condition = alltrue([
      for noun in ["events", "connections", "tickets", "notices"] :
      aws_dynamodb_table.this[noun].ttl[0].attribute_name == "expires_at" && aws_dynamodb_table.this[noun].ttl[0].enabled
    ])
    error_message = "these tables grow without end unless their rows expire"
  }
}

run "money_never_expires" {
  command = plan

  assert {
    condition = alltrue([
      for noun in ["purchases", "inventory", "ledger"] : length(aws_dynamodb_table.this[noun].ttl) == 0
    ])
    error_message = "purchases, inventory and ledger are kept for good"
  }
}
