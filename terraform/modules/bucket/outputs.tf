output "name" {
  description = "The bucket's name, known once the bucket is ready for use"
  value       = aws_s3_bucket.this.id
  depends_on  = [aws_s3_bucket_policy.this]
}

output "arn" {
  description = "The bucket's ARN"
  value       = aws_s3_bucket.this.arn
}

output "regional_domain_name" {
  description = "Where CloudFront finds the bucket"
  value       = aws_s3_bucket.this.bucket_regional_domain_name
}
