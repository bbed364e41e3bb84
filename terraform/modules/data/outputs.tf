output "table_arns" {
  description = "ARNs of the tables by their nouns"
  value       = { for noun, table in aws_dynamodb_table.this : noun => table.arn }
}
