# The one way from Terraform to SAM. Nothing here is secret: a {{resolve:ssm}} cannot read a SecureString.
resource "aws_ssm_parameter" "this" {
  for_each = var.parameters

  name  = "/${var.stage}/jm_nyanko/${each.key}"
  type  = "String"
  value = each.value
}
