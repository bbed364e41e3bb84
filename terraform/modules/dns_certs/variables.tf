variable "domain" {
  description = "The site's domain; the APIs are api. and ws. below it"
  type        = string
}

variable "delegations" {
  description = "Name servers of zones below this one, by their domain"
  type        = map(list(string))
  default     = {}
}
