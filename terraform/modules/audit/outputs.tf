output "trail_arn" {
  description = "The trail"
  value       = aws_cloudtrail.this.arn
}

output "bucket" {
  description = "Where the trail is kept"
  value       = module.bucket.name
}
