output "github_provider_arn" {
  description = "The OIDC provider that the roles of both environments trust"
  value       = aws_iam_openid_connect_provider.github.arn
}

output "trail_arn" {
  description = "The trail"
  value       = module.audit.trail_arn
}
