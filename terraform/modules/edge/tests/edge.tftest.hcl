mock_provider "aws" {
  mock_resource "aws_s3_bucket" {
    defaults = {
      arn                         = "arn:aws:s3:::stg-jm-nyanko-frontend"
      bucket_regional_domain_name = "stg-jm-nyanko-frontend.s3.ap-northeast-1.amazonaws.com"
    }
  }

  mock_resource "aws_cloudfront_distribution" {
    defaults = {
      arn = "arn:aws:cloudfront::111111111111:distribution/E0000000000000"
    }
  }

  mock_resource "aws_cloudfront_function" {
    defaults = {
      arn = "arn:aws:cloudfront::111111111111:function/stg-jm-nyanko-index"
    }
  }
}

variables {
  name            = "stg_jm_nyanko"
  domain          = "stg.cat.joinmake.jp"
  zone_id         = "Z0000000000000000000"
  certificate_arn = "arn:aws:acm:us-east-1:111111111111:certificate/11111111-1111-1111-1111-111111111111"
  web_acl_arn     = "arn:aws:wafv2:us-east-1:111111111111:global/webacl/stg_jm_nyanko_cloudfront/11111111-1111-1111-1111-111111111111"
  origin_token    = { header = "x-origin-token", value = "drawn" }
  force_destroy   = false
  apis = [
    { domain = "api.stg.cat.joinmake.jp", target = "d-rest.execute-api.ap-northeast-1.amazonaws.com" },
    { domain = "ws.stg.cat.joinmake.jp", target = "d-ws.execute-api.ap-northeast-1.amazonaws.com" },
  ]
}

run "every_distribution_is_behind_the_web_acl_and_speaks_modern_tls" {
  command = plan

  assert {
    condition = alltrue([
      for distribution in concat([aws_cloudfront_distribution.site], values(aws_cloudfront_distribution.api)) :
      distribution.web_acl_id == var.web_acl_arn
      && distribution.viewer_certificate[0].minimum_protocol_version == "TLSv1.2_2021"
      && distribution.default_cache_behavior[0].viewer_protocol_policy != "allow-all"
    ])
    error_message = "a distribution is open to what the web ACL or TLS would stop"
  }
}

run "apis_are_never_cached_and_know_cloudfront_by_its_token" {
  command = plan

  assert {
    condition = alltrue([
      for distribution in aws_cloudfront_distribution.api :
      distribution.default_cache_behavior[0].cache_policy_id == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
      && one(one(distribution.origin).custom_header).name == "x-origin-token"
      && one(one(distribution.origin).custom_origin_config).origin_protocol_policy == "https-only"
    ])
    error_message = "an answer for one player must not reach another, and API Gateway must know who asks"
  }
}

run "the_buckets_are_read_by_signed_requests_only" {
  command = apply

  assert {
    condition     = aws_cloudfront_origin_access_control.this.signing_behavior == "always"
    error_message = "requests to S3 must be signed"
  }

  assert {
    condition     = alltrue([for origin in aws_cloudfront_distribution.site.origin : origin.origin_access_control_id == aws_cloudfront_origin_access_control.this.id])
    error_message = "an origin without access control would need a public bucket"
  }
}

run "the_site_lets_unity_run_and_web3auth_sign_in" {
  command = plan

  assert {
    condition = alltrue([
      for needed in ["'wasm-unsafe-eval'", "wss://ws.stg.cat.joinmake.jp", "https://api.stg.cat.joinmake.jp", "https://*.web3auth.io"] :
      strcontains(aws_cloudfront_response_headers_policy.site.security_headers_config[0].content_security_policy[0].content_security_policy, needed)
    ])
    error_message = "the content security policy would stop the game"
  }

  assert {
    condition     = !strcontains(aws_cloudfront_response_headers_policy.site.security_headers_config[0].content_security_policy[0].content_security_policy, "'unsafe-eval'")
    error_message = "WebAssembly needs no eval of text"
  }
}

run "the_site_and_both_apis_have_names_in_both_families" {
  command = plan

  assert {
    condition = alltrue([
      for records in [aws_route53_record.ipv4, aws_route53_record.ipv6] :
      toset(keys(records)) == toset(["stg.cat.joinmake.jp", "api.stg.cat.joinmake.jp", "ws.stg.cat.joinmake.jp"])
    ])
    error_message = "a distribution has no name"
  }
}

run "a_certificate_of_tokyo_is_refused" {
  command = plan

  variables {
    certificate_arn = "arn:aws:acm:ap-northeast-1:111111111111:certificate/11111111-1111-1111-1111-111111111111"
  }

  expect_failures = [var.certificate_arn]
}
