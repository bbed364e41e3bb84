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

run "prod_never_buys_by_itself" {
  command = plan

  assert {
    condition     = toset(keys(module.environment.role_arns)) == toset(["plan", "deploy"])
    error_message = "a purchase in prod would be a real one"
  }
}
