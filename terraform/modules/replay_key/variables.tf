variable "name" {
  description = "The key's alias is this with _replay behind it"
  type        = string
}

variable "account_id" {
  description = "The account whose IAM policies decide who may sign and who may check"
  type        = string
}
