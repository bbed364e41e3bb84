variable "name" {
  description = "What the topic and its alarms are named after"
  type        = string
}

variable "account_id" {
  description = "The account whose alarms and budgets may publish"
  type        = string
}

variable "kms_key_arn" {
  description = "The key that encrypts what is published"
  type        = string
}

variable "emails" {
  description = "Who is told; each address has to confirm"
  type        = set(string)
}
