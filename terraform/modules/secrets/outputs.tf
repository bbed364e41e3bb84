output "arns" {
  description = "ARNs of the secrets by their nouns"
  value       = { for noun, secret in aws_secretsmanager_secret.this : noun => secret.arn }
}
