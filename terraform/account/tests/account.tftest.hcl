mock_provider "aws" {}

mock_provider "aws" {
  alias = "us_east_1"
}

variables {
  account_id   = "111111111111"
  environments = ["stg", "prod"]
  emails       = ["infrastructure@example.com"]
}

run "github_tokens_are_for_sts_alone" {
  command = plan

  assert {
    condition     = tolist(aws_iam_openid_connect_provider.github.client_id_list) == tolist(["sts.amazonaws.com"])
    error_message = "tokens made for somebody else would be taken"
  }
}

run "no_bucket_of_the_account_can_be_public" {
  command = plan

  assert {
    condition     = aws_s3_account_public_access_block.this.restrict_public_buckets && aws_s3_account_public_access_block.this.block_public_policy
    error_message = "the account must block public buckets"
  }
}
