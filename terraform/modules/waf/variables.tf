variable "name" {
  description = "What the web ACLs' names start with"
  type        = string
}

variable "requests_per_5_minutes" {
  description = "How many requests an address may send; Stripe's webhook is not counted"
  type        = number
}

variable "webhook_requests_per_5_minutes" {
  description = "How many requests an address may send to Stripe's webhook: Stripe sends all events from few addresses"
  type        = number
  default     = 100000
}

variable "origin_tokens" {
  description = "Names of the tokens by which API Gateway knows CloudFront, the newest last; all are accepted, the last is sent"
  type        = list(string)
  default     = ["first"]

  validation {
    condition     = length(var.origin_tokens) > 0
    error_message = "Without a token API Gateway would refuse CloudFront too."
  }
}

variable "log_retention_in_days" {
  description = "How long blocked requests are kept"
  type        = number
}

variable "kms_key_arn" {
  description = "The key that encrypts the regional log"
  type        = string
}

variable "us_east_1_kms_key_arn" {
  description = "The key that encrypts CloudFront's log, in us-east-1"
  type        = string

  validation {
    condition     = startswith(var.us_east_1_kms_key_arn, "arn:aws:kms:us-east-1:")
    error_message = "CloudFront's web ACL logs in us-east-1, where only a key of us-east-1 works."
  }
}
