output "name_servers" {
  description = "What the parent zone must delegate the domain to"
  value       = module.dns_certs.name_servers
}

output "role_arns" {
  description = "The roles that GitHub Actions assume, by what they do"
  value       = module.deploy_roles.role_arns
}

output "cloudformation_role_arn" {
  description = "The role to hand to CloudFormation"
  value       = module.deploy_roles.cloudformation_role_arn
}
