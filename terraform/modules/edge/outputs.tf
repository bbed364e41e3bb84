output "buckets" {
  description = "Names of the site's buckets: lp and frontend"
  value       = { for noun, bucket in module.bucket : noun => bucket.name }
}

output "site_url" {
  description = "Where the landing page is"
  value       = "https://${var.domain}"
}

output "game_url" {
  description = "Where the game is"
  value       = "https://${var.domain}/play/"
}
