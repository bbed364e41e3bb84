output "topic_arn" {
  description = "Where alarms about the infrastructure are published"
  value       = aws_sns_topic.this.arn
}
