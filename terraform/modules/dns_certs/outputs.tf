output "zone_id" {
  description = "The zone of the domain"
  value       = aws_route53_zone.this.zone_id
}

output "name_servers" {
  description = "What the parent zone must delegate the domain to"
  value       = aws_route53_zone.this.name_servers
}

output "cloudfront_certificate_arn" {
  description = "The certificate in us-east-1, known once it is valid"
  value       = aws_acm_certificate_validation.cloudfront.certificate_arn
}

output "api_gateway_certificate_arn" {
  description = "The certificate in the environment's region, known once it is valid"
  value       = aws_acm_certificate_validation.api_gateway.certificate_arn
}
