output "states" {
  description = "Buckets of states, by what they are the state of"
  value       = { for name, bucket in module.bucket : name => bucket.name }
}
