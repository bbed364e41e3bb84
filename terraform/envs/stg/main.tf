module "environment" {
  source    = "../../modules/environment"
  providers = { aws = aws, aws.us_east_1 = aws.us_east_1 }

  stage  = "stg"
  domain = "stg.cat.joinmake.jp"
  branch = "develop"

  deletion_protection    = false
  max_request_units      = 400
  requests_per_5_minutes = 2000
  log_retention_in_days  = 30
  monthly_usd            = 100
  smoke_test             = true

  account_id         = var.account_id
  github_repository  = var.github_repository
  emails             = var.emails
  web3auth_client_id = var.web3auth_client_id
  joinmake_api_url   = var.joinmake_api_url
}
