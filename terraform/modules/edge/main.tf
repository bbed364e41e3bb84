locals {
  name = replace(var.name, "_", "-")

  # Policies that AWS manages, whose ids are the same in every account
  # (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html).
  managed = {
    caching_optimized = "658327ea-f89d-4fab-a63d-7e88639e58f6"
    caching_disabled  = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    all_viewer        = "216adef6-5c7f-47e4-b989-5492eafa07d3"
    security_headers  = "67f7725c-6f97-4210-82d7-5512b31e9d03"
  }

  content_security_policy = {
    default-src     = "'self'"
    script-src      = "'self' 'wasm-unsafe-eval' blob:" # Unity compiles WebAssembly and starts workers from blobs
    worker-src      = "'self' blob:"
    style-src       = "'self' 'unsafe-inline'"
    img-src         = "'self' data: blob:"
    media-src       = "'self' data: blob:"
    font-src        = "'self' data:"
    connect-src     = "'self' data: blob: https://api.${var.domain} wss://ws.${var.domain} https://*.web3auth.io"
    frame-src       = "https://*.web3auth.io"
    frame-ancestors = "'none'"
    base-uri        = "'none'"
    object-src      = "'none'"
    form-action     = "'self' https://checkout.stripe.com"
  }
}

# ─── The site: the landing page, and the game below /play/ ─────────────────────────────────────────────────────────

module "bucket" {
  source   = "../bucket"
  for_each = toset(["lp", "frontend"])

  name          = "${local.name}-${each.key}"
  force_destroy = var.force_destroy

  statements = [{
    Sid       = "ServeThroughCloudFront"
    Effect    = "Allow"
    Principal = { Service = "cloudfront.amazonaws.com" }
    Action    = "s3:GetObject"
    Resource  = "arn:aws:s3:::${local.name}-${each.key}/*"
    Condition = { StringEquals = { "aws:SourceArn" = aws_cloudfront_distribution.site.arn } }
  }]
}

resource "aws_cloudfront_origin_access_control" "this" {
  name                              = "${local.name}-site"
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

resource "aws_cloudfront_function" "index" {
  name    = "${local.name}-index"
  comment = "Folders answer with their index.html"
  runtime = "cloudfront-js-2.0"
  publish = true
  code    = file("${path.module}/index.js")
}

resource "aws_cloudfront_response_headers_policy" "site" {
  name = "${local.name}-site"

  security_headers_config {
    content_security_policy {
      content_security_policy = join("; ", [for directive, sources in local.content_security_policy : "${directive} ${sources}"])
      override                = true
    }

    strict_transport_security {
      access_control_max_age_sec = 63072000
      include_subdomains         = true
      override                   = true
    }

    content_type_options {
      override = true
    }

    frame_options {
      frame_option = "DENY"
      override     = true
    }

    referrer_policy {
      referrer_policy = "strict-origin-when-cross-origin"
      override        = true
    }
  }

  custom_headers_config {
    # Web3Auth signs in through a pop-up that must be able to answer its opener.
    items {
      header   = "Cross-Origin-Opener-Policy"
      value    = "same-origin-allow-popups"
      override = true
    }
  }
}

resource "aws_cloudfront_distribution" "site" {
  comment             = "${var.name} site"
  aliases             = [var.domain]
  enabled             = true
  is_ipv6_enabled     = true
  http_version        = "http2and3"
  price_class         = "PriceClass_200" # without Japan's edge locations the cheapest class is of no use
  default_root_object = "index.html"
  web_acl_id          = var.web_acl_arn

  # Each by its key: to name the whole module would be a circle with the buckets' policies, which name the distribution.
  dynamic "origin" {
    for_each = {
      lp       = module.bucket["lp"].regional_domain_name
      frontend = module.bucket["frontend"].regional_domain_name
    }

    content {
      origin_id                = origin.key
      domain_name              = origin.value
      origin_access_control_id = aws_cloudfront_origin_access_control.this.id
    }
  }

  default_cache_behavior {
    target_origin_id           = "lp"
    viewer_protocol_policy     = "redirect-to-https"
    allowed_methods            = ["GET", "HEAD"]
    cached_methods             = ["GET", "HEAD"]
    compress                   = true
    cache_policy_id            = local.managed.caching_optimized
    response_headers_policy_id = aws_cloudfront_response_headers_policy.site.id

    function_association {
      event_type   = "viewer-request"
      function_arn = aws_cloudfront_function.index.arn
    }
  }

  ordered_cache_behavior {
    path_pattern               = "/play/*"
    target_origin_id           = "frontend"
    viewer_protocol_policy     = "redirect-to-https"
    allowed_methods            = ["GET", "HEAD"]
    cached_methods             = ["GET", "HEAD"]
    compress                   = true
    cache_policy_id            = local.managed.caching_optimized
    response_headers_policy_id = aws_cloudfront_response_headers_policy.site.id

    function_association {
      event_type   = "viewer-request"
      function_arn = aws_cloudfront_function.index.arn
    }
  }

  # S3 tells a missing object from a forbidden one only to those who may list the bucket.
  custom_error_response {
    error_code         = 403
    response_code      = 404
    response_page_path = "/404.html"
  }

  viewer_certificate {
    acm_certificate_arn      = var.certificate_arn
    minimum_protocol_version = "TLSv1.2_2021"
    ssl_support_method       = "sni-only"
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }
}

# ─── The APIs: nothing cached, everything passed on ────────────────────────────────────────────────────────────────

resource "aws_cloudfront_distribution" "api" {
  for_each = { for api in var.apis : api.domain => api.target }

  comment         = "${var.name} ${each.key}"
  aliases         = [each.key]
  enabled         = true
  is_ipv6_enabled = true
  http_version    = "http2"
  price_class     = "PriceClass_200"
  web_acl_id      = var.web_acl_arn

  origin {
    origin_id   = "api_gateway"
    domain_name = each.value

    custom_header {
      name  = var.origin_token.header
      value = var.origin_token.value
    }

    custom_origin_config {
      http_port              = 80
      https_port             = 443
      origin_protocol_policy = "https-only"
      origin_ssl_protocols   = ["TLSv1.2"]
    }
  }

  default_cache_behavior {
    target_origin_id           = "api_gateway"
    viewer_protocol_policy     = "https-only"
    allowed_methods            = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]
    cached_methods             = ["GET", "HEAD"]
    cache_policy_id            = local.managed.caching_disabled
    origin_request_policy_id   = local.managed.all_viewer # the Host too: API Gateway finds its domain by it
    response_headers_policy_id = local.managed.security_headers
  }

  viewer_certificate {
    acm_certificate_arn      = var.certificate_arn
    minimum_protocol_version = "TLSv1.2_2021"
    ssl_support_method       = "sni-only"
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }
}

# ─── Names ─────────────────────────────────────────────────────────────────────────────────────────────────────────

locals {
  distributions = merge({ (var.domain) = aws_cloudfront_distribution.site }, aws_cloudfront_distribution.api)
}

resource "aws_route53_record" "ipv4" {
  for_each = local.distributions

  zone_id = var.zone_id
  name    = each.key
  type    = "A"

  alias {
    name                   = each.value.domain_name
    zone_id                = each.value.hosted_zone_id
    evaluate_target_health = false
  }
}

resource "aws_route53_record" "ipv6" {
  for_each = local.distributions

  zone_id = var.zone_id
  name    = each.key
  type    = "AAAA"

  alias {
    name                   = each.value.domain_name
    zone_id                = each.value.hosted_zone_id
    evaluate_target_health = false
  }
}
