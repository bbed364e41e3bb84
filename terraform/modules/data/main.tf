locals {
  tables = jsondecode(file("${path.module}/tables.json"))
}

resource "aws_dynamodb_table" "this" {
  for_each = local.tables

  name                        = "${var.name}_${each.key}"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = each.value.hash_key
  range_key                   = try(each.value.range_key, null)
  deletion_protection_enabled = var.deletion_protection

  on_demand_throughput {
    max_read_request_units  = var.max_request_units
    max_write_request_units = var.max_request_units
  }

  dynamic "attribute" {
    for_each = each.value.attributes

    content {
      name = attribute.key
      type = attribute.value
    }
  }

  dynamic "global_secondary_index" {
    for_each = try(each.value.indexes, {})

    content {
      name            = global_secondary_index.key
      hash_key        = global_secondary_index.value.hash_key
      range_key       = try(global_secondary_index.value.range_key, null)
      projection_type = global_secondary_index.value.projection

      on_demand_throughput {
        max_read_request_units  = var.max_request_units
        max_write_request_units = var.max_request_units
      }
    }
  }

  dynamic "ttl" {
    for_each = try([each.value.ttl], [])

    content {
      attribute_name = ttl.value
      enabled        = true
    }
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.kms_key_arn
  }
}
