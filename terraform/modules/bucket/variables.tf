variable "name" {
  description = "The bucket's name"
  type        = string
}

variable "kms_key_arn" {
  description = "The key that encrypts new objects; S3's own key when null"
  type        = string
  default     = null
}

variable "statements" {
  description = "Statements of the bucket's policy beside the one that demands TLS"
  type        = any
  default     = []
}

variable "expire_after_days" {
  description = "Days after which objects are deleted, by the prefix of their keys"
  type        = map(number)
  default     = {}
}

variable "force_destroy" {
  description = "Whether Terraform may delete the bucket with what is in it"
  type        = bool
  default     = false
}
