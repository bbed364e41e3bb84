variable "stage" {
  description = "The first part of every parameter's path"
  type        = string
}

variable "parameters" {
  description = "What template.yaml reads, by the last part of its path"
  type        = map(string)
}
