locals {
  apis = [for api in ["api", "ws"] : "${api}.${var.domain}"]
}

resource "aws_route53_zone" "this" {
  name = var.domain
}

resource "aws_route53_record" "delegation" {
  for_each = var.delegations

  zone_id = aws_route53_zone.this.zone_id
  name    = each.key
  type    = "NS"
  ttl     = 3600
  records = each.value
}

# No other authority may issue certificates for this domain and those below it.
resource "aws_route53_record" "caa" {
  zone_id = aws_route53_zone.this.zone_id
  name    = var.domain
  type    = "CAA"
  ttl     = 3600
  records = ["0 issue \"amazon.com\"", "0 issuewild \";\""]
}

resource "aws_acm_certificate" "cloudfront" {
  provider = aws.us_east_1

  domain_name               = var.domain
  subject_alternative_names = local.apis
  validation_method         = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_acm_certificate" "api_gateway" {
  domain_name               = local.apis[0]
  subject_alternative_names = slice(local.apis, 1, length(local.apis))
  validation_method         = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

# ACM asks for the same record in every region, so these prove both certificates.
resource "aws_route53_record" "validation" {
  for_each = toset(concat([var.domain], local.apis))

  zone_id = aws_route53_zone.this.zone_id
  name    = one([for option in aws_acm_certificate.cloudfront.domain_validation_options : option.resource_record_name if option.domain_name == each.key])
  type    = one([for option in aws_acm_certificate.cloudfront.domain_validation_options : option.resource_record_type if option.domain_name == each.key])
  records = [one([for option in aws_acm_certificate.cloudfront.domain_validation_options : option.resource_record_value if option.domain_name == each.key])]
  ttl     = 300
}

resource "aws_acm_certificate_validation" "cloudfront" {
  provider = aws.us_east_1

  certificate_arn         = aws_acm_certificate.cloudfront.arn
  validation_record_fqdns = [for record in aws_route53_record.validation : record.fqdn]
}

resource "aws_acm_certificate_validation" "api_gateway" {
  certificate_arn         = aws_acm_certificate.api_gateway.arn
  validation_record_fqdns = [for api in local.apis : aws_route53_record.validation[api].fqdn]
}
