variable "account_id" {
  description = "The account to set up"
  type        = string
}

variable "region" {
  description = "The region of the account's environments"
  type        = string
  default     = "ap-northeast-1"
}

variable "environments" {
  description = "The environments that live in this account; one is recommended"
  type        = list(string)
}

variable "emails" {
  description = "Who is told when root is used"
  type        = set(string)
}
