mock_provider "aws" {}

mock_provider "aws" {
  alias = "us_east_1"
}

variables {
  stage                  = "stg"
  account_id             = "111111111111"
  domain                 = "stg.cat.joinmake.jp"
  github_repository      = "joinmake/jm_nyanko"
  branch                 = "develop"
  emails                 = ["infrastructure@example.com"]
  web3auth_client_id     = "client-id"
  joinmake_api_url       = "https://users.example.com"
  deletion_protection    = false
  max_request_units      = 400
  requests_per_5_minutes = 2000
  log_retention_in_days  = 30
  monthly_usd            = 100
  smoke_test             = true
}

run "both_apis_have_domains_below_the_site" {
  command = plan

  assert {
    condition     = module.api_domains.rest.domain == "api.stg.cat.joinmake.jp" && module.api_domains.websocket.domain == "ws.stg.cat.joinmake.jp"
    error_message = "the APIs are api. and ws. below the site's domain"
  }
}

run "there_is_no_third_environment" {
  command = plan

  variables {
    stage = "dev"
  }

  expect_failures = [var.stage]
}

run "an_account_has_to_be_named" {
  command = plan

  variables {
    account_id = "account id"
  }

  expect_failures = [var.account_id]
}

run "players_are_not_looked_up_in_clear" {
  command = plan

  variables {
    joinmake_api_url = "http://users.example.com"
  }

  expect_failures = [var.joinmake_api_url]
}
