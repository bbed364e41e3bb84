mock_provider "aws" {}

variables {
  name        = "stg_jm_nyanko"
  stage       = "stg"
  monthly_usd = 100
  topic_arn   = "arn:aws:sns:ap-northeast-1:111111111111:stg_jm_nyanko_infrastructure"
}

run "only_this_environments_costs_count" {
  command = plan

  assert {
    condition     = tolist(one(aws_budgets_budget.this.cost_filter).values) == tolist(["user:stage$stg"])
    error_message = "the budget must count one environment"
  }
}

run "someone_is_told_before_the_money_is_spent" {
  command = plan

  assert {
    condition = alltrue([
      for notification in aws_budgets_budget.this.notification :
      contains(notification.subscriber_sns_topic_arns, var.topic_arn)
    ]) && anytrue([for notification in aws_budgets_budget.this.notification : notification.threshold < 100])
    error_message = "a notification must come before 100 %"
  }
}
