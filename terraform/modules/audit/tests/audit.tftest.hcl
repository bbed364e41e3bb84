mock_provider "aws" {
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:ap-northeast-1:111111111111:key/11111111-1111-1111-1111-111111111111" }
  }

  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::jm-nyanko-account-audit-111111111111" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:ap-northeast-1:111111111111:log-group:/aws/cloudtrail/jm_nyanko_account" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111111111111:role/jm_nyanko_account_trail" }
  }

  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:ap-northeast-1:111111111111:jm_nyanko_account_audit" }
  }
}

mock_provider "aws" {
  alias = "us_east_1"
}

variables {
  name         = "jm_nyanko_account"
  account_id   = "111111111111"
  region       = "ap-northeast-1"
  environments = ["stg", "prod"]
  emails       = ["infrastructure@example.com"]
}

run "the_trail_is_whole_and_cannot_be_forged" {
  command = plan

  assert {
    condition = alltrue([
      aws_cloudtrail.this.is_multi_region_trail,
      aws_cloudtrail.this.include_global_service_events,
      aws_cloudtrail.this.enable_log_file_validation,
    ])
    error_message = "the trail must cover all regions and be signed"
  }
}

run "money_and_state_are_watched_in_every_environment" {
  command = plan

  assert {
    condition = length(setsubtract(
      [
        for table in ["prod_jm_nyanko_ledger", "prod_jm_nyanko_inventory", "stg_jm_nyanko_purchases"] :
        "arn:aws:dynamodb:ap-northeast-1:111111111111:table/${table}"
      ],
      flatten([for selector in aws_cloudtrail.this.advanced_event_selector : [for field in selector.field_selector : coalesce(field.equals, [])]]),
    )) == 0
    error_message = "a table of money is not watched"
  }

  assert {
    condition = contains(
      flatten([for selector in aws_cloudtrail.this.advanced_event_selector : [for field in selector.field_selector : coalesce(field.starts_with, [])]]),
      "arn:aws:s3:::prod-jm-nyanko-terraform-state/",
    )
    error_message = "prod's state is not watched"
  }
}

run "the_log_is_encrypted_and_ends" {
  command = apply

  assert {
    condition     = aws_cloudwatch_log_group.trail.retention_in_days == 90 && aws_cloudwatch_log_group.trail.kms_key_id == module.key.arn
    error_message = "every log group needs a retention and a key"
  }
}

run "use_of_root_rings" {
  command = apply

  assert {
    condition     = aws_cloudwatch_metric_alarm.root.metric_name == "RootUse" && contains(aws_cloudwatch_metric_alarm.root.alarm_actions, aws_sns_topic.this.arn)
    error_message = "somebody must be told when root is used"
  }
}

run "both_regions_have_a_detector" {
  command = plan

  assert {
    condition     = aws_guardduty_detector.this.enable && aws_guardduty_detector.us_east_1.enable
    error_message = "GuardDuty must be on"
  }
}
