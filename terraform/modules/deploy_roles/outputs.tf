output "role_arns" {
  description = "The roles that GitHub Actions assume, by what they do"
  value       = { for noun, role in aws_iam_role.github : noun => role.arn }
}

output "cloudformation_role_arn" {
  description = "The role to hand to CloudFormation"
  value       = aws_iam_role.cloudformation.arn
}

output "boundary_arn" {
  description = "The boundary that every role of template.yaml carries"
  value       = aws_iam_policy.this["boundary"].arn
}
