variable "name" {
  description = "The budget's name"
  type        = string
}

variable "stage" {
  description = "The value of the cost allocation tag stage that is counted"
  type        = string
}

variable "monthly_usd" {
  description = "What a month may cost"
  type        = number
}

variable "topic_arn" {
  description = "Where overruns are published"
  type        = string
}
