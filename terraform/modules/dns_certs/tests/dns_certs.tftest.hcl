mock_provider "aws" {}

mock_provider "aws" {
  alias = "us_east_1"
}

variables {
  domain = "stg.cat.joinmake.jp"
}

run "both_certificates_are_proved_by_dns" {
  command = plan

  assert {
    condition = alltrue([
      for certificate in [aws_acm_certificate.cloudfront, aws_acm_certificate.api_gateway] :
      certificate.validation_method == "DNS"
    ])
    error_message = "a certificate that is proved by mail does not renew itself"
  }
}

run "the_certificates_cover_every_name_that_is_served" {
  command = plan

  assert {
    condition     = toset(concat([aws_acm_certificate.cloudfront.domain_name], tolist(aws_acm_certificate.cloudfront.subject_alternative_names))) == toset(["stg.cat.joinmake.jp", "api.stg.cat.joinmake.jp", "ws.stg.cat.joinmake.jp"])
    error_message = "CloudFront serves the site and both APIs"
  }

  assert {
    condition     = toset(concat([aws_acm_certificate.api_gateway.domain_name], tolist(aws_acm_certificate.api_gateway.subject_alternative_names))) == toset(["api.stg.cat.joinmake.jp", "ws.stg.cat.joinmake.jp"])
    error_message = "API Gateway serves both APIs"
  }
}

run "only_amazon_may_issue_certificates" {
  command = plan

  assert {
    condition     = aws_route53_record.caa.type == "CAA" && contains(aws_route53_record.caa.records, "0 issue \"amazon.com\"")
    error_message = "the CAA record must name amazon.com"
  }
}

run "a_zone_below_is_delegated" {
  command = plan

  variables {
    domain      = "cat.joinmake.jp"
    delegations = { "stg.cat.joinmake.jp" = ["ns-1.awsdns-01.org", "ns-2.awsdns-02.com"] }
  }

  assert {
    condition     = aws_route53_record.delegation["stg.cat.joinmake.jp"].type == "NS"
    error_message = "the zone below must be delegated"
  }
}
