output "names" {
  description = "Paths of the parameters"
  value       = [for parameter in aws_ssm_parameter.this : parameter.name]
}
