variable "name" {
  description = "What every secret's name starts with"
  type        = string
}

variable "kms_key_arn" {
  description = "The key that encrypts the secrets"
  type        = string
}

variable "recovery_window_in_days" {
  description = "How long a deletion can be taken back; until then the name is taken"
  type        = number
  default     = 30
}
