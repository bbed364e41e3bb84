output "cloudfront_acl_arn" {
  description = "The web ACL for CloudFront's distributions"
  value       = aws_wafv2_web_acl.cloudfront.arn
}

output "regional_acl_arn" {
  description = "The web ACL for the REST API's stage"
  value       = aws_wafv2_web_acl.regional.arn
}

output "origin_token" {
  description = "The header by which CloudFront makes itself known, and its value"
  sensitive   = true
  value = {
    header = local.origin_token_header
    value  = terraform_data.origin_token[reverse(var.origin_tokens)[0]].output
  }
}
