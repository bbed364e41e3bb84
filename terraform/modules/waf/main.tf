locals {
  origin_token_header = "x-origin-token"
  webhook_label       = "webhook"
  names               = { cloudfront = "${var.name}_cloudfront", regional = "${var.name}_regional" }

  # Groups of AWS's own rules; those that read bodies know nothing of Stripe's events and keep away from the webhook,
  # whose authorisation is its signature.
  managed_groups = {
    AWSManagedRulesAmazonIpReputationList = { priority = 10, reads_bodies = false }
    AWSManagedRulesKnownBadInputsRuleSet  = { priority = 11, reads_bodies = true }
    AWSManagedRulesCommonRuleSet          = { priority = 12, reads_bodies = true }
    AWSManagedRulesSQLiRuleSet            = { priority = 13, reads_bodies = true }
  }
}

# A token that nobody chose: drawn once, kept in the state, drawn anew for every new name.
resource "terraform_data" "origin_token" {
  for_each = toset(var.origin_tokens)

  input = sensitive("${uuid()}${uuid()}")

  lifecycle {
    ignore_changes = [input]
  }
}

resource "aws_wafv2_web_acl" "cloudfront" {
  provider = aws.us_east_1

  name        = local.names.cloudfront
  description = "What reaches CloudFront: the site, the REST API and the WebSocket API"
  scope       = "CLOUDFRONT"

  default_action {
    allow {}
  }

  # The one place that knows the webhook by its path; the rules below know it by this label.
  rule {
    name     = "webhook"
    priority = 0

    action {
      count {}
    }

    rule_label {
      name = local.webhook_label
    }

    statement {
      byte_match_statement {
        positional_constraint = "EXACTLY"
        search_string         = "/stripe/webhook"

        field_to_match {
          uri_path {}
        }

        text_transformation {
          priority = 0
          type     = "NONE"
        }
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "webhook"
      sampled_requests_enabled   = true
    }
  }

  rule {
    name     = "rate"
    priority = 1

    action {
      block {
        custom_response {
          response_code = 429
        }
      }
    }

    statement {
      rate_based_statement {
        aggregate_key_type = "IP"
        limit              = var.requests_per_5_minutes

        scope_down_statement {
          not_statement {
            statement {
              label_match_statement {
                scope = "LABEL"
                key   = local.webhook_label
              }
            }
          }
        }
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "rate"
      sampled_requests_enabled   = true
    }
  }

  rule {
    name     = "webhook_rate"
    priority = 2

    action {
      block {
        custom_response {
          response_code = 429
        }
      }
    }

    statement {
      rate_based_statement {
        aggregate_key_type = "IP"
        limit              = var.webhook_requests_per_5_minutes

        scope_down_statement {
          label_match_statement {
            scope = "LABEL"
            key   = local.webhook_label
          }
        }
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "webhook_rate"
      sampled_requests_enabled   = true
    }
  }

  rule {
    name     = "body_size"
    priority = 3

    action {
      block {
        custom_response {
          response_code = 413
        }
      }
    }

    statement {
      and_statement {
        statement {
          size_constraint_statement {
            comparison_operator = "GT"
            size                = 8192

            field_to_match {
              body {
                oversize_handling = "MATCH"
              }
            }

            text_transformation {
              priority = 0
              type     = "NONE"
            }
          }
        }

        statement {
          not_statement {
            statement {
              label_match_statement {
                scope = "LABEL"
                key   = local.webhook_label
              }
            }
          }
        }
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "body_size"
      sampled_requests_enabled   = true
    }
  }

  dynamic "rule" {
    for_each = local.managed_groups

    content {
      name     = rule.key
      priority = rule.value.priority

      override_action {
        none {}
      }

      statement {
        managed_rule_group_statement {
          name        = rule.key
          vendor_name = "AWS"

          dynamic "scope_down_statement" {
            for_each = rule.value.reads_bodies ? ["not the webhook"] : []

            content {
              not_statement {
                statement {
                  label_match_statement {
                    scope = "LABEL"
                    key   = local.webhook_label
                  }
                }
              }
            }
          }
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = rule.key
        sampled_requests_enabled   = true
      }
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = local.names.cloudfront
    sampled_requests_enabled   = true
  }
}

# API Gateway's own addresses are public: whoever comes without CloudFront's token is refused there.
resource "aws_wafv2_web_acl" "regional" {
  name        = local.names.regional
  description = "What reaches the REST API: CloudFront and nobody else"
  scope       = "REGIONAL"

  default_action {
    block {}
  }

  dynamic "rule" {
    for_each = var.origin_tokens

    content {
      name     = "origin_token_${rule.value}"
      priority = rule.key

      action {
        allow {}
      }

      statement {
        byte_match_statement {
          positional_constraint = "EXACTLY"
          search_string         = terraform_data.origin_token[rule.value].output

          field_to_match {
            single_header {
              name = local.origin_token_header
            }
          }

          text_transformation {
            priority = 0
            type     = "NONE"
          }
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = "origin_token_${rule.value}"
        sampled_requests_enabled   = false # samples would show the token
      }
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = local.names.regional
    sampled_requests_enabled   = true
  }
}

# WAF accepts only log groups whose names start so.
resource "aws_cloudwatch_log_group" "cloudfront" {
  provider = aws.us_east_1

  name              = "aws-waf-logs-${local.names.cloudfront}"
  retention_in_days = var.log_retention_in_days
  kms_key_id        = var.us_east_1_kms_key_arn
}

resource "aws_cloudwatch_log_group" "regional" {
  name              = "aws-waf-logs-${local.names.regional}"
  retention_in_days = var.log_retention_in_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_wafv2_web_acl_logging_configuration" "cloudfront" {
  provider = aws.us_east_1

  resource_arn            = aws_wafv2_web_acl.cloudfront.arn
  log_destination_configs = [aws_cloudwatch_log_group.cloudfront.arn]

  # Only what was blocked: the rest has logs of its own.
  logging_filter {
    default_behavior = "DROP"

    filter {
      behavior    = "KEEP"
      requirement = "MEETS_ANY"

      condition {
        action_condition {
          action = "BLOCK"
        }
      }
    }
  }

  redacted_fields {
    single_header {
      name = "authorization"
    }
  }

  # A WebSocket's ticket stands in the query string.
  redacted_fields {
    query_string {}
  }
}

resource "aws_wafv2_web_acl_logging_configuration" "regional" {
  resource_arn            = aws_wafv2_web_acl.regional.arn
  log_destination_configs = [aws_cloudwatch_log_group.regional.arn]

  logging_filter {
    default_behavior = "DROP"

    filter {
      behavior    = "KEEP"
      requirement = "MEETS_ANY"

      condition {
        action_condition {
          action = "BLOCK"
        }
      }
    }
  }

  redacted_fields {
    single_header {
      name = "authorization"
    }
  }

  redacted_fields {
    single_header {
      name = local.origin_token_header
    }
  }
}
