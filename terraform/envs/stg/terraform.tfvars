# To be filled in before the first deployment (docs/deploy.md, step 1). Terraform refuses what is left as it is.
account_id         = "account id"
github_repository  = "owner/name, as the tokens say it"
emails             = []
web3auth_client_id = ""
joinmake_api_url   = ""
