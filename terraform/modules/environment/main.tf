locals {
  name = "${var.stage}_jm_nyanko"
}

# ─── What the data rests in ────────────────────────────────────────────────────────────────────────────────────────

module "keys" {
  source = "../keys"

  name       = local.name
  account_id = var.account_id
  region     = var.region
  services   = ["logs", "alarms", "events"]
}

module "us_east_1_keys" {
  source    = "../keys"
  providers = { aws = aws.us_east_1 }

  name       = local.name
  account_id = var.account_id
  region     = "us-east-1"
  services   = ["logs"]
}

module "replay_key" {
  source = "../replay_key"

  name       = local.name
  account_id = var.account_id
}

module "data" {
  source = "../data"

  name                = local.name
  kms_key_arn         = module.keys.arn
  deletion_protection = var.deletion_protection
  max_request_units   = var.max_request_units
}

module "secrets" {
  source = "../secrets"

  name        = local.name
  kms_key_arn = module.keys.arn
}

module "artifacts" {
  source = "../bucket"

  name              = "${var.stage}-jm-nyanko-artifacts"
  kms_key_arn       = module.keys.arn
  force_destroy     = !var.deletion_protection
  expire_after_days = { "" = 365 }
}

# ─── What players reach ────────────────────────────────────────────────────────────────────────────────────────────

module "dns_certs" {
  source    = "../dns_certs"
  providers = { aws = aws, aws.us_east_1 = aws.us_east_1 }

  domain      = var.domain
  delegations = var.delegations
}

module "waf" {
  source    = "../waf"
  providers = { aws = aws, aws.us_east_1 = aws.us_east_1 }

  name                   = local.name
  requests_per_5_minutes = var.requests_per_5_minutes
  origin_tokens          = var.origin_tokens
  log_retention_in_days  = var.log_retention_in_days
  kms_key_arn            = module.keys.arn
  us_east_1_kms_key_arn  = module.us_east_1_keys.arn
}

module "api_domains" {
  source = "../api_domains"

  domain          = var.domain
  certificate_arn = module.dns_certs.api_gateway_certificate_arn
}

module "edge" {
  source = "../edge"

  name            = local.name
  domain          = var.domain
  zone_id         = module.dns_certs.zone_id
  certificate_arn = module.dns_certs.cloudfront_certificate_arn
  web_acl_arn     = module.waf.cloudfront_acl_arn
  origin_token    = module.waf.origin_token
  apis            = [module.api_domains.rest, module.api_domains.websocket]
  force_destroy   = !var.deletion_protection
}

# ─── Who deploys, and who is told ──────────────────────────────────────────────────────────────────────────────────

module "deploy_roles" {
  source = "../deploy_roles"

  name              = local.name
  stage             = var.stage
  account_id        = var.account_id
  region            = var.region
  github_repository = var.github_repository
  branch            = var.branch
  zone_id           = module.dns_certs.zone_id
  kms_key_arns      = [module.keys.arn, module.us_east_1_keys.arn, module.replay_key.arn]
  smoke_test        = var.smoke_test
}

module "alarms" {
  source = "../alarms"

  name        = local.name
  account_id  = var.account_id
  kms_key_arn = module.keys.arn
  emails      = var.emails
}

module "budgets" {
  source = "../budgets"

  name        = local.name
  stage       = var.stage
  monthly_usd = var.monthly_usd
  topic_arn   = module.alarms.topic_arn
}

# ─── What template.yaml reads ──────────────────────────────────────────────────────────────────────────────────────

module "handoff" {
  source = "../handoff"

  stage = var.stage
  parameters = {
    frontend_origin      = module.edge.site_url
    frontend_url         = module.edge.game_url
    joinmake_api_url     = var.joinmake_api_url
    kms_key_arn          = module.keys.arn
    realtime_domain      = module.api_domains.websocket.domain
    realtime_url         = "wss://${module.api_domains.websocket.domain}"
    regional_web_acl_arn = module.waf.regional_acl_arn
    replay_key_arn       = module.replay_key.arn
    rest_domain          = module.api_domains.rest.domain
    stripe_api_url       = var.stripe_api_url
    web3auth_client_id   = var.web3auth_client_id
    web3auth_issuers     = jsonencode(var.web3auth_issuers)
  }
}
