variable "domain" {
  description = "The site's domain; the APIs are api. and ws. below it"
  type        = string
}

variable "certificate_arn" {
  description = "A valid certificate for both APIs in their own region"
  type        = string

  validation {
    condition     = !startswith(var.certificate_arn, "arn:aws:acm:us-east-1:")
    error_message = "A regional domain name needs a certificate of its own region; the one in us-east-1 is CloudFront's."
  }
}
