variable "name" {
  description = "What every role's and resource's name starts with; with hyphens where AWS forbids underscores"
  type        = string
}

variable "stage" {
  description = "The environment, as it stands in the tag stage"
  type        = string
}

variable "account_id" {
  description = "The account of the environment"
  type        = string
}

variable "region" {
  description = "The region of the environment"
  type        = string
}

variable "github_repository" {
  description = "owner/name as GitHub's tokens say it: owner@id/name@id where subjects are immutable"
  type        = string

  validation {
    condition     = can(regex("^[\\w.-]+(@\\d+)?/[\\w.-]+(@\\d+)?$", var.github_repository))
    error_message = "The repository is owner/name or owner@id/name@id, without wildcards."
  }
}

variable "branch" {
  description = "The one branch that is deployed here"
  type        = string

  validation {
    condition     = can(regex("^[\\w./-]+$", var.branch))
    error_message = "The branch is a name without wildcards."
  }
}

variable "scheduled_branch" {
  description = "The default branch, from which GitHub runs the scheduled drift workflow"
  type        = string
  default     = "main"
}

variable "zone_id" {
  description = "The environment's zone"
  type        = string
}

variable "kms_key_arns" {
  description = "The environment's keys"
  type        = list(string)
}

variable "smoke_test" {
  description = "Whether the pipeline may buy in test mode to try a deployment"
  type        = bool
}
