# SAM maps the stages of its APIs onto these names. Viewers reach them through CloudFront, which answers to the same
# names and passes the Host header on.
resource "aws_api_gateway_domain_name" "rest" {
  domain_name              = "api.${var.domain}"
  regional_certificate_arn = var.certificate_arn
  security_policy          = "TLS_1_2"

  endpoint_configuration {
    types = ["REGIONAL"]
  }
}

resource "aws_apigatewayv2_domain_name" "websocket" {
  domain_name = "ws.${var.domain}"

  domain_name_configuration {
    certificate_arn = var.certificate_arn
    endpoint_type   = "REGIONAL"
    security_policy = "TLS_1_2"
  }
}
