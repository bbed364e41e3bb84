output "name_servers" {
  description = "What the parent zone must delegate the domain to"
  value       = module.environment.name_servers
}

output "role_arns" {
  description = "The roles that GitHub Actions assume, by what they do"
  value       = module.environment.role_arns
}

output "cloudformation_role_arn" {
  description = "The role to hand to CloudFormation"
  value       = module.environment.cloudformation_role_arn
}
