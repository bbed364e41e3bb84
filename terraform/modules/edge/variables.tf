variable "name" {
  description = "What the distributions' parts are named after; buckets carry it with hyphens"
  type        = string
}

variable "domain" {
  description = "The site's domain"
  type        = string
}

variable "zone_id" {
  description = "The zone that names the distributions"
  type        = string
}

variable "certificate_arn" {
  description = "A valid certificate for the site and both APIs, in us-east-1"
  type        = string

  validation {
    condition     = startswith(var.certificate_arn, "arn:aws:acm:us-east-1:")
    error_message = "CloudFront takes certificates of us-east-1 only."
  }
}

variable "web_acl_arn" {
  description = "The web ACL of scope CLOUDFRONT"
  type        = string
}

variable "apis" {
  description = "The API domains and the hosts behind them"
  type        = list(object({ domain = string, target = string }))
}

variable "origin_token" {
  description = "The header by which CloudFront makes itself known to API Gateway, and its value"
  type        = object({ header = string, value = string })
  sensitive   = true
}

variable "force_destroy" {
  description = "Whether Terraform may delete the buckets with what is in them"
  type        = bool
}
