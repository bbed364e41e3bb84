mock_provider "aws" {
  mock_resource "aws_s3_bucket" {
    defaults = {
      arn = "arn:aws:s3:::stg-jm-nyanko-frontend"
    }
  }
}

variables {
  name = "stg-jm-nyanko-frontend"
}

run "nothing_of_it_can_be_public" {
  command = plan

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.this.block_public_acls,
      aws_s3_bucket_public_access_block.this.block_public_policy,
      aws_s3_bucket_public_access_block.this.ignore_public_acls,
      aws_s3_bucket_public_access_block.this.restrict_public_buckets,
    ])
    error_message = "all four blocks of public access must be on"
  }
}

run "old_versions_are_kept" {
  command = plan

  assert {
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled"
    error_message = "versioning must be on"
  }
}

run "it_speaks_tls_only" {
  command = apply

  assert {
    condition = one([
      for statement in jsondecode(aws_s3_bucket_policy.this.policy).Statement :
      statement.Effect == "Deny" && statement.Condition.Bool["aws:SecureTransport"] == "false"
      if statement.Sid == "DemandTls"
    ])
    error_message = "requests without TLS must be denied"
  }
}

run "a_key_of_ours_encrypts_if_there_is_one" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:ap-northeast-1:111111111111:key/11111111-1111-1111-1111-111111111111"
  }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).sse_algorithm == "aws:kms"
    error_message = "the key is not used"
  }
}
