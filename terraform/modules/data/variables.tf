variable "name" {
  description = "What every table's name starts with"
  type        = string
}

variable "kms_key_arn" {
  description = "The key that encrypts the tables"
  type        = string
}

variable "deletion_protection" {
  description = "Whether DynamoDB refuses to delete the tables"
  type        = bool
}

variable "max_request_units" {
  description = "What each table and index may read and write at most, in request units a second: the cap on the bill"
  type        = number
}
