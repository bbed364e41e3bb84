variable "name" {
  description = "The key's alias, and the part of their names by which log groups may use it"
  type        = string
}

variable "account_id" {
  description = "The account whose IAM policies decide who else may use the key"
  type        = string
}

variable "region" {
  description = "Where the key is, which the log service's name contains"
  type        = string
}

variable "services" {
  description = "Which AWS services use the key by themselves: logs, alarms, events"
  type        = set(string)
  default     = []

  validation {
    condition     = length(setsubtract(var.services, ["logs", "alarms", "events"])) == 0
    error_message = "The services are logs, alarms and events."
  }
}

variable "statements" {
  description = "More statements of the key's policy"
  type        = any
  default     = []
}

variable "deletion_window_in_days" {
  description = "How long a deletion can be taken back"
  type        = number
  default     = 30
}
