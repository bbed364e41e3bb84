mock_provider "aws" {}

mock_provider "aws" {
  alias = "us_east_1"
}

variables {
  account_id         = "111111111111"
  github_repository  = "joinmake/jm_nyanko"
  emails             = ["infrastructure@example.com"]
  web3auth_client_id = "client-id"
  joinmake_api_url   = "https://users.example.com"
}

run "stg_may_buy_in_test_mode" {
  command = plan

  assert {
    condition     = toset(keys(module.environment.role_arns)) == toset(["plan", "deploy", "smoke"])
    error_message = "a deployment to stg ends with a purchase in test mode"
  }
}
