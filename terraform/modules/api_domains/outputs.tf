output "rest" {
  description = "The REST API's domain name and the host behind it"
  value = {
    domain = aws_api_gateway_domain_name.rest.domain_name
    target = aws_api_gateway_domain_name.rest.regional_domain_name
  }
}

output "websocket" {
  description = "The WebSocket API's domain name and the host behind it"
  value = {
    domain = aws_apigatewayv2_domain_name.websocket.domain_name
    target = aws_apigatewayv2_domain_name.websocket.domain_name_configuration[0].target_domain_name
  }
}
