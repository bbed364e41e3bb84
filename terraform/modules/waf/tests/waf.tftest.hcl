mock_provider "aws" {
  mock_resource "aws_wafv2_web_acl" {
    defaults = {
      arn = "arn:aws:wafv2:ap-northeast-1:111111111111:regional/webacl/stg_jm_nyanko_regional/11111111-1111-1111-1111-111111111111"
    }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = {
      arn = "arn:aws:logs:ap-northeast-1:111111111111:log-group:aws-waf-logs-stg_jm_nyanko_regional"
    }
  }
}

mock_provider "aws" {
  alias = "us_east_1"

  mock_resource "aws_wafv2_web_acl" {
    defaults = {
      arn = "arn:aws:wafv2:us-east-1:111111111111:global/webacl/stg_jm_nyanko_cloudfront/11111111-1111-1111-1111-111111111111"
    }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = {
      arn = "arn:aws:logs:us-east-1:111111111111:log-group:aws-waf-logs-stg_jm_nyanko_cloudfront"
    }
  }
}

variables {
  name                   = "stg_jm_nyanko"
  requests_per_5_minutes = 2000
  log_retention_in_days  = 30
  kms_key_arn            = "arn:aws:kms:ap-northeast-1:111111111111:key/11111111-1111-1111-1111-111111111111"
  us_east_1_kms_key_arn  = "arn:aws:kms:us-east-1:111111111111:key/11111111-1111-1111-1111-111111111111"
}

run "api_gateway_refuses_whoever_has_no_token" {
  command = apply

  assert {
    condition     = length(aws_wafv2_web_acl.regional.default_action[0].block) == 1
    error_message = "the regional web ACL must block unless a rule allows"
  }

  assert {
    condition = alltrue([
      for rule in aws_wafv2_web_acl.regional.rule :
      length(rule.statement[0].byte_match_statement[0].search_string) == 72
      && rule.statement[0].byte_match_statement[0].field_to_match[0].single_header[0].name == output.origin_token.header
    ])
    error_message = "every rule that lets in must ask for a token that cannot be guessed"
  }
}

run "a_token_can_be_changed_while_both_are_accepted" {
  command = apply

  variables {
    origin_tokens = ["first", "second"]
  }

  assert {
    condition = output.origin_token.value == one([
      for rule in aws_wafv2_web_acl.regional.rule : rule.statement[0].byte_match_statement[0].search_string
      if rule.name == "origin_token_second"
    ])
    error_message = "the newest token is the one that is sent"
  }

  assert {
    condition     = length(distinct([for rule in aws_wafv2_web_acl.regional.rule : rule.statement[0].byte_match_statement[0].search_string])) == 2
    error_message = "both tokens must be accepted, and differ"
  }
}

run "rules_that_read_bodies_keep_away_from_the_webhook" {
  command = plan

  assert {
    condition = alltrue([
      for rule in aws_wafv2_web_acl.cloudfront.rule :
      rule.statement[0].managed_rule_group_statement[0].scope_down_statement[0].not_statement[0].statement[0].label_match_statement[0].key == "webhook"
      if contains(["AWSManagedRulesCommonRuleSet", "AWSManagedRulesSQLiRuleSet", "AWSManagedRulesKnownBadInputsRuleSet"], rule.name)
    ])
    error_message = "Stripe's events would be blocked by what they contain"
  }

  assert {
    condition = one([
      for rule in aws_wafv2_web_acl.cloudfront.rule :
      rule.statement[0].and_statement[0].statement[1].not_statement[0].statement[0].label_match_statement[0].key == "webhook"
      if rule.name == "body_size"
    ])
    error_message = "Stripe's events may be larger than 8 KB"
  }
}

run "the_label_is_set_before_it_is_asked_for" {
  command = plan

  assert {
    condition = one([
      for rule in aws_wafv2_web_acl.cloudfront.rule : rule.priority if rule.name == "webhook"
      ]) < min([
      for rule in aws_wafv2_web_acl.cloudfront.rule : rule.priority if rule.name != "webhook"
    ]...)
    error_message = "a rule looks for the label before the webhook's rule has set it"
  }
}

run "logs_are_encrypted_and_end" {
  command = plan

  assert {
    condition = alltrue([
      for group in [aws_cloudwatch_log_group.cloudfront, aws_cloudwatch_log_group.regional] :
      group.retention_in_days == 30 && startswith(group.kms_key_id, "arn:aws:kms:")
    ])
    error_message = "every log group needs a retention and a key"
  }
}

run "a_key_of_another_region_is_refused" {
  command = plan

  variables {
    us_east_1_kms_key_arn = "arn:aws:kms:ap-northeast-1:111111111111:key/11111111-1111-1111-1111-111111111111"
  }

  expect_failures = [var.us_east_1_kms_key_arn]
}
