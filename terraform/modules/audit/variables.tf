variable "name" {
  description = "What the trail and its log are named after; the bucket carries the account's number too"
  type        = string
}

variable "account_id" {
  description = "The account that is watched"
  type        = string
}

variable "region" {
  description = "Where the trail is"
  type        = string
}

variable "environments" {
  description = "The environments in this account"
  type        = list(string)
}

variable "emails" {
  description = "Who is told when root is used; each address has to confirm"
  type        = set(string)
}

variable "log_retention_in_days" {
  description = "How long the trail can be searched; its bucket keeps it for seven years"
  type        = number
  default     = 90
}
