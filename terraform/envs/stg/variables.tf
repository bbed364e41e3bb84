# What only the owner knows: see terraform.tfvars.

variable "account_id" {
  description = "The account of this environment"
  type        = string
}

variable "github_repository" {
  description = "owner/name of the repository, as its tokens say it"
  type        = string
}

variable "emails" {
  description = "Who is told of drift and overrun budgets"
  type        = set(string)
}

variable "web3auth_client_id" {
  description = "The project's client id in Web3Auth"
  type        = string
}

variable "joinmake_api_url" {
  description = "Where Join&make's user API is"
  type        = string
}
