mock_provider "aws" {
  mock_resource "aws_sns_topic" {
    defaults = {
      arn = "arn:aws:sns:ap-northeast-1:111111111111:stg_jm_nyanko_infrastructure"
    }
  }
}

variables {
  name        = "stg_jm_nyanko"
  account_id  = "111111111111"
  kms_key_arn = "arn:aws:kms:ap-northeast-1:111111111111:key/11111111-1111-1111-1111-111111111111"
  emails      = ["infrastructure@example.com"]
}

run "drift_rings" {
  command = apply

  assert {
    condition     = contains(aws_cloudwatch_metric_alarm.drift.alarm_actions, aws_sns_topic.this.arn)
    error_message = "the drift alarm must reach the topic"
  }
}

run "only_this_accounts_services_publish" {
  command = apply

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_sns_topic_policy.this.policy).Statement :
      statement.Condition.StringEquals["aws:SourceAccount"] == "111111111111"
    ])
    error_message = "another account's alarms could publish"
  }

  assert {
    condition     = aws_sns_topic.this.kms_master_key_id == var.kms_key_arn
    error_message = "the topic must be encrypted"
  }
}
