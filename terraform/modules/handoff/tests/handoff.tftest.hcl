mock_provider "aws" {}

variables {
  stage      = "stg"
  parameters = { frontend_url = "https://stg.cat.joinmake.jp/play/" }
}

run "parameters_stand_where_the_template_reads_them" {
  command = plan

  assert {
    condition     = aws_ssm_parameter.this["frontend_url"].name == "/stg/jm_nyanko/frontend_url"
    error_message = "the template reads /<stage>/jm_nyanko/<name>"
  }

  assert {
    condition     = aws_ssm_parameter.this["frontend_url"].type == "String"
    error_message = "CloudFormation resolves String parameters only"
  }
}
