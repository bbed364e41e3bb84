module "environment" {
  source    = "../../modules/environment"
  providers = { aws = aws, aws.us_east_1 = aws.us_east_1 }

  stage       = "prod"
  domain      = "cat.joinmake.jp"
  delegations = var.delegations
  branch      = "main"

  deletion_protection    = true
  max_request_units      = 4000
  requests_per_5_minutes = 2000
  log_retention_in_days  = 365
  monthly_usd            = 1000
  smoke_test             = false

  account_id         = var.account_id
  github_repository  = var.github_repository
  emails             = var.emails
  web3auth_client_id = var.web3auth_client_id
  joinmake_api_url   = var.joinmake_api_url
}
