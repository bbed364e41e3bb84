# Without `encrypt`, which would ask for S3's own key, the bucket's default holds: our key.
terraform {
  backend "s3" {
    bucket         = "prod-jm-nyanko-terraform-state"
    key            = "prod/terraform.tfstate"
    region         = "ap-northeast-1"
    dynamodb_table = "prod_jm_nyanko_terraform_lock"
  }
}
