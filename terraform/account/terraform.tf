terraform {
  # The bucket carries the account's number: terraform init -backend-config="bucket=jm-nyanko-account-terraform-state-<number>".
  backend "s3" {
    key            = "account/terraform.tfstate"
    region         = "ap-northeast-1"
    dynamodb_table = "jm_nyanko_account_terraform_lock"
  }

  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }
}

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = { project = "jm_nyanko" }
  }
}

provider "aws" {
  alias = "us_east_1"

  region              = "us-east-1"
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = { project = "jm_nyanko" }
  }
}
