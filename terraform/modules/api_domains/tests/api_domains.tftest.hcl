mock_provider "aws" {}

variables {
  domain          = "stg.cat.joinmake.jp"
  certificate_arn = "arn:aws:acm:ap-northeast-1:111111111111:certificate/11111111-1111-1111-1111-111111111111"
}

run "both_domains_are_regional_and_speak_tls_1_2" {
  command = plan

  assert {
    condition     = aws_api_gateway_domain_name.rest.domain_name == "api.stg.cat.joinmake.jp" && aws_api_gateway_domain_name.rest.security_policy == "TLS_1_2"
    error_message = "the REST API's domain is wrong"
  }

  assert {
    condition     = aws_apigatewayv2_domain_name.websocket.domain_name == "ws.stg.cat.joinmake.jp" && aws_apigatewayv2_domain_name.websocket.domain_name_configuration[0].security_policy == "TLS_1_2"
    error_message = "the WebSocket API's domain is wrong"
  }
}

run "cloudfronts_certificate_is_refused" {
  command = plan

  variables {
    certificate_arn = "arn:aws:acm:us-east-1:111111111111:certificate/11111111-1111-1111-1111-111111111111"
  }

  expect_failures = [var.certificate_arn]
}
