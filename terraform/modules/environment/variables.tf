variable "stage" {
  description = "stg or prod: the prefix of every name"
  type        = string

  validation {
    condition     = contains(["stg", "prod"], var.stage)
    error_message = "The environments are stg and prod."
  }
}

variable "account_id" {
  description = "The account of the environment"
  type        = string

  validation {
    condition     = can(regex("^\\d{12}$", var.account_id))
    error_message = "An account id has 12 digits: fill in terraform.tfvars, as docs/deploy.md says."
  }
}

variable "region" {
  description = "The region of everything but CloudFront's parts"
  type        = string
  default     = "ap-northeast-1"
}

variable "domain" {
  description = "The site's domain; the APIs are api. and ws. below it"
  type        = string
}

variable "delegations" {
  description = "Name servers of zones below the domain, by their domain"
  type        = map(list(string))
  default     = {}
}

variable "github_repository" {
  description = "owner/name of the one repository that deploys, as its tokens say it"
  type        = string
}

variable "branch" {
  description = "The one branch that is deployed here"
  type        = string
}

variable "emails" {
  description = "Who is told of drift and overrun budgets"
  type        = set(string)

  validation {
    condition     = length(var.emails) > 0
    error_message = "Somebody has to be told: fill in terraform.tfvars, as docs/deploy.md says."
  }
}

variable "web3auth_client_id" {
  description = "The project's client id in Web3Auth, which tokens are issued for"
  type        = string

  validation {
    condition     = length(var.web3auth_client_id) > 0
    error_message = "Without its client id no token can be checked: fill in terraform.tfvars, as docs/deploy.md says."
  }
}

variable "web3auth_issuers" {
  description = "Who signs tokens: Web3Auth itself, and Web3Auth for external wallets"
  type        = list(object({ issuer = string, jwks_url = string }))
  default = [
    { issuer = "https://api-auth.web3auth.io", jwks_url = "https://api-auth.web3auth.io/jwks" },
    { issuer = "https://authjs.web3auth.io", jwks_url = "https://authjs.web3auth.io/jwks" },
  ]
}

variable "joinmake_api_url" {
  description = "Where Join&make's user API is"
  type        = string

  validation {
    condition     = startswith(var.joinmake_api_url, "https://")
    error_message = "Join&make's user API is spoken to by https alone: fill in terraform.tfvars, as docs/deploy.md says."
  }
}

variable "stripe_api_url" {
  description = "Where Stripe's API is"
  type        = string
  default     = "https://api.stripe.com"
}

variable "deletion_protection" {
  description = "Whether tables and filled buckets refuse to be deleted"
  type        = bool
}

variable "max_request_units" {
  description = "What each table may read and write at most, in request units a second"
  type        = number
}

variable "requests_per_5_minutes" {
  description = "How many requests one address may send"
  type        = number
}

variable "log_retention_in_days" {
  description = "How long logs of blocked requests are kept"
  type        = number
}

variable "monthly_usd" {
  description = "What a month may cost"
  type        = number
}

variable "smoke_test" {
  description = "Whether the pipeline buys in test mode after a deployment"
  type        = bool
}

variable "origin_tokens" {
  description = "Names of the tokens by which API Gateway knows CloudFront, the newest last"
  type        = list(string)
  default     = ["first"]
}
