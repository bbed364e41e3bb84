variable "account_id" {
  description = "The account to prepare"
  type        = string
}

variable "region" {
  description = "Where the states are kept"
  type        = string
  default     = "ap-northeast-1"
}

variable "environments" {
  description = "The environments that live in this account; one is recommended"
  type        = set(string)

  validation {
    condition     = length(setsubtract(var.environments, ["stg", "prod"])) == 0
    error_message = "The environments are stg and prod."
  }
}
