locals {
  region                  = "${var.region}:${var.account_id}"
  boundary_arn            = "arn:aws:iam::${var.account_id}:policy/${var.name}_boundary"
  cloudformation_role_arn = "arn:aws:iam::${var.account_id}:role/${var.name}_cloudformation"

  arns = {
    alarms      = "arn:aws:cloudwatch:${local.region}:alarm:${var.name}_*"
    artifacts   = "arn:aws:s3:::${local.hyphened}-artifacts"
    budgets     = "arn:aws:budgets::${var.account_id}:budget/${var.name}_*"
    functions   = "arn:aws:lambda:${local.region}:function:${var.name}_*"
    lock        = "arn:aws:dynamodb:${local.region}:table/${var.name}_terraform_lock"
    machines    = "arn:aws:states:${local.region}:stateMachine:${var.name}_*"
    executions  = "arn:aws:states:${local.region}:execution:${var.name}_*"
    parameters  = "arn:aws:ssm:${local.region}:parameter/${var.stage}/jm_nyanko/*"
    queues      = "arn:aws:sqs:${local.region}:${var.name}_*"
    secrets     = "arn:aws:secretsmanager:${local.region}:secret:${var.name}_*"
    sites       = ["arn:aws:s3:::${local.hyphened}-lp", "arn:aws:s3:::${local.hyphened}-frontend"]
    stack       = "arn:aws:cloudformation:${local.region}:stack/${local.hyphened}/*"
    stack_roles = "arn:aws:iam::${var.account_id}:role/${local.hyphened}-*"
    state       = "arn:aws:s3:::${local.hyphened}-terraform-state"
    tables      = "arn:aws:dynamodb:${local.region}:table/${var.name}_*"
    topics      = "arn:aws:sns:${local.region}:${var.name}_*"
    web_acls    = [for scope in ["${local.region}:regional", "us-east-1:${var.account_id}:global"] : "arn:aws:wafv2:${scope}/webacl/${var.name}_*"]
    log_groups = [
      for group in ["/aws/lambda/${var.name}*", "/aws/vendedlogs/*/${var.name}*", "aws-waf-logs-${var.name}*"] :
      "arn:aws:logs:*:${var.account_id}:log-group:${group}"
    ]
  }

  # Many of CloudFront's, ACM's and KMS's resources have ids instead of names. Where one carries another environment's
  # tag, nobody of this environment touches it.
  hands_off = {
    Sid      = "LeaveOtherEnvironmentsAlone"
    Effect   = "Deny"
    Action   = "*"
    Resource = "*"
    Condition = {
      StringNotEquals = { "aws:ResourceTag/stage" = var.stage }
      Null            = { "aws:ResourceTag/stage" = "false" }
    }
  }

  policies = {
    state = {
      description = "Terraform's state and lock"
      statements = [
        { Sid = "ListState", Effect = "Allow", Action = "s3:ListBucket", Resource = local.arns.state },
        { Sid = "ReadState", Effect = "Allow", Action = "s3:GetObject", Resource = "${local.arns.state}/*" },
        { Sid = "Lock", Effect = "Allow", Action = ["dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"], Resource = local.arns.lock },
        {
          Sid       = "UseStateKey"
          Effect    = "Allow"
          Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
          Resource  = "arn:aws:kms:${local.region}:key/*"
          Condition = { "ForAnyValue:StringEquals" = { "kms:ResourceAliases" = "alias/${var.name}_terraform_state" } }
        },
      ]
    }

    plan = {
      description = "What a plan leaves behind: itself, and whether there is drift"
      statements = [
        local.hands_off,
        { Sid = "KeepPlan", Effect = "Allow", Action = "s3:PutObject", Resource = "${local.arns.state}/plans/*" },
        {
          Sid       = "ReportDrift"
          Effect    = "Allow"
          Action    = "cloudwatch:PutMetricData"
          Resource  = "*" # metrics have no ARNs
          Condition = { StringEquals = { "cloudwatch:namespace" = var.name } }
        },
      ]
    }

    # No data and no secrets: only how things are configured.
    read = {
      description = "How everything of the environment is configured"
      statements = [
        {
          Sid    = "ReadByName"
          Effect = "Allow"
          Action = [
            "budgets:List*", "budgets:View*",
            "cloudformation:Describe*", "cloudformation:GetTemplate*", "cloudformation:List*",
            "cloudwatch:Describe*", "cloudwatch:List*",
            "dynamodb:Describe*", "dynamodb:List*",
            "iam:Get*", "iam:List*",
            "s3:GetAccelerateConfiguration", "s3:GetBucket*", "s3:GetEncryptionConfiguration", "s3:GetLifecycleConfiguration",
            "s3:GetReplicationConfiguration", "s3:ListBucket",
            "secretsmanager:DescribeSecret", "secretsmanager:GetResourcePolicy", "secretsmanager:List*",
            "sns:Get*", "sns:List*",
            "ssm:GetParameter*", "ssm:List*",
          ]
          Resource = concat(
            local.arns.sites,
            [
              local.arns.alarms, local.arns.artifacts, local.arns.budgets, local.arns.parameters, local.arns.secrets, local.arns.stack,
              local.arns.tables, local.arns.topics,
              "arn:aws:iam::${var.account_id}:policy/${var.name}_*",
              "arn:aws:iam::${var.account_id}:role/${var.name}_*",
            ],
          )
        },
        {
          Sid    = "ReadById"
          Effect = "Allow"
          Action = [
            "acm:Describe*", "acm:List*",
            "apigateway:GET",
            "cloudfront:Describe*", "cloudfront:Get*", "cloudfront:List*",
            "kms:Describe*", "kms:GetKey*", "kms:List*",
            "logs:Describe*", "logs:List*",
            "route53:Get*", "route53:List*",
            "sns:GetSubscriptionAttributes",
            "ssm:DescribeParameters",
            "sts:GetCallerIdentity",
            "wafv2:Get*", "wafv2:List*",
          ]
          Resource = "*" # ids are not known before they exist
        },
      ]
    }

    apply = {
      description = "Everything that Terraform makes for the environment but roles and policies, which are an administrator's"
      statements = [
        local.hands_off,
        {
          Sid    = "KeepMoneyAndKeys"
          Effect = "Deny"
          Action = [
            "dynamodb:DeleteTable", "kms:DisableKey", "kms:ScheduleKeyDeletion", "route53:DeleteHostedZone", "s3:DeleteBucket",
            "secretsmanager:DeleteSecret", "secretsmanager:GetSecretValue",
          ]
          Resource = "*"
        },
        { Sid = "WriteState", Effect = "Allow", Action = "s3:PutObject", Resource = "${local.arns.state}/${var.stage}/*" },
        {
          Sid    = "WriteByName"
          Effect = "Allow"
          Action = [
            "budgets:ModifyBudget", "budgets:TagResource", "budgets:UntagResource",
            "cloudwatch:DeleteAlarms", "cloudwatch:PutMetricAlarm", "cloudwatch:TagResource", "cloudwatch:UntagResource",
            "dynamodb:CreateTable", "dynamodb:TagResource", "dynamodb:UntagResource", "dynamodb:UpdateContinuousBackups",
            "dynamodb:UpdateTable", "dynamodb:UpdateTimeToLive",
            "logs:CreateLogGroup", "logs:DeleteLogGroup", "logs:AssociateKmsKey", "logs:DisassociateKmsKey", "logs:PutRetentionPolicy",
            "logs:TagResource", "logs:UntagResource",
            "s3:CreateBucket", "s3:DeleteBucketPolicy", "s3:PutBucket*", "s3:PutEncryptionConfiguration", "s3:PutLifecycleConfiguration",
            "secretsmanager:CreateSecret", "secretsmanager:RestoreSecret", "secretsmanager:TagResource", "secretsmanager:UntagResource",
            "secretsmanager:UpdateSecret",
            "sns:CreateTopic", "sns:DeleteTopic", "sns:SetTopicAttributes", "sns:Subscribe", "sns:TagResource", "sns:UntagResource",
            "sns:Unsubscribe",
            "ssm:AddTagsToResource", "ssm:DeleteParameter", "ssm:PutParameter", "ssm:RemoveTagsFromResource",
            "wafv2:CreateWebACL", "wafv2:DeleteLoggingConfiguration", "wafv2:DeleteWebACL", "wafv2:PutLoggingConfiguration",
            "wafv2:TagResource", "wafv2:UntagResource", "wafv2:UpdateWebACL",
          ]
          Resource = concat(
            local.arns.sites, local.arns.web_acls, local.arns.log_groups,
            [
              local.arns.alarms, local.arns.artifacts, local.arns.budgets, local.arns.parameters, local.arns.secrets, local.arns.tables,
              local.arns.topics,
            ],
          )
        },
        {
          Sid    = "WriteById"
          Effect = "Allow"
          Action = [
            "acm:AddTagsToCertificate", "acm:DeleteCertificate", "acm:RemoveTagsFromCertificate", "acm:RequestCertificate",
            "cloudfront:AssociateDistributionWebACL", "cloudfront:Create*", "cloudfront:Delete*", "cloudfront:DisassociateDistributionWebACL",
            "cloudfront:PublishFunction", "cloudfront:TagResource", "cloudfront:UntagResource", "cloudfront:Update*",
            "kms:CreateAlias", "kms:CreateGrant", "kms:CreateKey", "kms:DeleteAlias", "kms:EnableKeyRotation", "kms:PutKeyPolicy",
            "kms:TagResource", "kms:UntagResource", "kms:UpdateAlias", "kms:UpdateKeyDescription",
            "logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:PutResourcePolicy",
          ]
          Resource = "*" # ids are not known before they exist
        },
        {
          Sid    = "NameDomains"
          Effect = "Allow"
          Action = ["apigateway:DELETE", "apigateway:PATCH", "apigateway:POST", "apigateway:PUT"]
          Resource = [
            "arn:aws:apigateway:${var.region}::/domainnames", "arn:aws:apigateway:${var.region}::/domainnames/*",
            "arn:aws:apigateway:${var.region}::/tags/*", "arn:aws:apigateway:${var.region}::/v2/domainnames*",
          ]
        },
        {
          Sid      = "NameHosts"
          Effect   = "Allow"
          Action   = ["route53:ChangeResourceRecordSets", "route53:ChangeTagsForResource"]
          Resource = "arn:aws:route53:::hostedzone/${var.zone_id}"
        },
        # With the foundation's own keys DynamoDB, Secrets Manager and SNS encrypt in the name of whoever makes their resources.
        { Sid = "UseKeys", Effect = "Allow", Action = ["kms:Decrypt", "kms:GenerateDataKey"], Resource = var.kms_key_arns },
      ]
    }

    deploy = {
      description = "Starts a deployment, which CloudFormation carries out with a role of its own"
      statements = [
        {
          Sid      = "UploadArtifactsAndSite"
          Effect   = "Allow"
          Action   = ["s3:GetObject", "s3:PutObject"]
          Resource = [for bucket in concat(local.arns.sites, [local.arns.artifacts]) : "${bucket}/*"]
        },
        {
          Sid    = "DeployStack"
          Effect = "Allow"
          Action = [
            "cloudformation:CreateChangeSet", "cloudformation:CreateStack", "cloudformation:DeleteChangeSet", "cloudformation:ExecuteChangeSet",
            "cloudformation:RollbackStack", "cloudformation:SetStackPolicy", "cloudformation:TagResource", "cloudformation:UpdateStack",
          ]
          Resource = [local.arns.stack, "arn:aws:cloudformation:${var.region}:aws:transform/Serverless-2016-10-31"]
        },
        { Sid = "ReadTemplate", Effect = "Allow", Action = "cloudformation:GetTemplateSummary", Resource = "*" },
        {
          Sid       = "HandOverToCloudFormation"
          Effect    = "Allow"
          Action    = "iam:PassRole"
          Resource  = local.cloudformation_role_arn
          Condition = { StringEquals = { "iam:PassedToService" = "cloudformation.amazonaws.com" } }
        },
      ]
    }

    smoke = {
      description = "What a purchase in test mode needs: the API function, and Stripe's test key"
      statements = [
        { Sid = "CallApi", Effect = "Allow", Action = "lambda:InvokeFunction", Resource = "arn:aws:lambda:${local.region}:function:${var.name}_api" },
        { Sid = "ReadParameters", Effect = "Allow", Action = "ssm:GetParameter", Resource = local.arns.parameters },
        { Sid = "PayInTestMode", Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = "arn:aws:secretsmanager:${local.region}:secret:${var.name}_stripe_api_key-??????" },
        { Sid = "UseKeys", Effect = "Allow", Action = "kms:Decrypt", Resource = var.kms_key_arns },
      ]
    }

    # ─── CloudFormation ──────────────────────────────────────────────────────────────────────────────────────────

    template = {
      description = "Everything of template.yaml beside functions and their roles"
      statements = [
        local.hands_off,
        {
          Sid    = "MakeByName"
          Effect = "Allow"
          Action = [
            "cloudwatch:*Alarm*", "cloudwatch:*Tag*", "cloudwatch:*Dashboard*", "events:*Rule*", "events:*Tag*", "events:*Targets*",
            "logs:*LogGroup*", "logs:*RetentionPolicy", "logs:*Tag*", "logs:AssociateKmsKey", "logs:DisassociateKmsKey", "logs:*MetricFilter*",
            "scheduler:*Schedule*", "scheduler:*Tag*", "sns:*", "sqs:CreateQueue", "sqs:DeleteQueue", "sqs:GetQueue*", "sqs:ListQueueTags", "sqs:SetQueueAttributes",
            "sqs:TagQueue", "sqs:UntagQueue", "states:*StateMachine*", "states:*Tag*",
          ]
          Resource = concat(local.arns.log_groups, [
            local.arns.alarms, local.arns.machines, local.arns.queues, local.arns.topics,
            "arn:aws:cloudwatch::${var.account_id}:dashboard/${var.name}*",
            "arn:aws:events:${local.region}:rule/${var.name}_*",
            "arn:aws:scheduler:${local.region}:schedule/*/${var.name}_*",
          ])
        },
        {
          Sid      = "MakeApis"
          Effect   = "Allow"
          Action   = ["apigateway:DELETE", "apigateway:GET", "apigateway:PATCH", "apigateway:POST", "apigateway:PUT", "apigateway:SetWebACL"]
          Resource = "arn:aws:apigateway:${var.region}::/*"
        },
        {
          Sid      = "AssociateWebAcl"
          Effect   = "Allow"
          Action   = ["wafv2:AssociateWebACL", "wafv2:DisassociateWebACL", "wafv2:GetWebACL", "wafv2:GetWebACLForResource"]
          Resource = concat(local.arns.web_acls, ["arn:aws:apigateway:${var.region}::/restapis/*"])
        },
        {
          Sid    = "DeliverLogs"
          Effect = "Allow"
          Action = [
            "logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies",
            "logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
          ]
          Resource = "*" # log delivery has no resources
        },
        {
          Sid      = "MoveCallsToNewVersions"
          Effect   = "Allow"
          Action   = ["codedeploy:*Application*", "codedeploy:*Deployment", "codedeploy:*DeploymentGroup", "codedeploy:*Tag*", "codedeploy:GetDeploymentConfig"]
          Resource = [for kind in ["application:${local.hyphened}-*", "deploymentgroup:${local.hyphened}-*", "deploymentconfig:*"] : "arn:aws:codedeploy:${local.region}:${kind}"]
        },
        { Sid = "ReadParameters", Effect = "Allow", Action = ["ssm:GetParameter", "ssm:GetParameters"], Resource = local.arns.parameters },
        { Sid = "ReadArtifacts", Effect = "Allow", Action = "s3:GetObject", Resource = "${local.arns.artifacts}/*" },
        { Sid = "ExpandTemplate", Effect = "Allow", Action = "cloudformation:CreateChangeSet", Resource = "arn:aws:cloudformation:${var.region}:aws:transform/Serverless-2016-10-31" },
        { Sid = "UseKeys", Effect = "Allow", Action = ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"], Resource = var.kms_key_arns },
      ]
    }

    functions = {
      description = "Functions, layers and the roles they run as, which carry the permissions boundary"
      statements = [
        {
          Sid    = "MakeFunctions"
          Effect = "Allow"
          Action = "lambda:*"
          Resource = [
            local.arns.functions,
            "arn:aws:lambda:${local.region}:layer:${var.name}_*",
            "arn:aws:lambda:${local.region}:event-source-mapping:*",
          ]
        },
        {
          Sid      = "ConnectQueues"
          Effect   = "Allow"
          Action   = ["lambda:CreateEventSourceMapping", "lambda:GetEventSourceMapping", "lambda:ListEventSourceMappings", "lambda:ListTags"]
          Resource = "*" # a mapping has no ARN before it exists
        },
        {
          Sid       = "GiveRolesPermissions"
          Effect    = "Allow"
          Action    = ["iam:AttachRolePolicy", "iam:CreateRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"]
          Resource  = local.arns.stack_roles
          Condition = { StringEquals = { "iam:PermissionsBoundary" = local.boundary_arn } }
        },
        {
          Sid      = "KeepRoles"
          Effect   = "Allow"
          Action   = ["iam:DeleteRole", "iam:GetRole*", "iam:List*", "iam:TagRole", "iam:UntagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole*"]
          Resource = local.arns.stack_roles
        },
        {
          Sid       = "PassRoles"
          Effect    = "Allow"
          Action    = "iam:PassRole"
          Resource  = local.arns.stack_roles
          Condition = { StringEquals = { "iam:PassedToService" = ["apigateway.amazonaws.com", "codedeploy.amazonaws.com", "events.amazonaws.com", "lambda.amazonaws.com", "scheduler.amazonaws.com", "states.amazonaws.com"] } }
        },
      ]
    }

    # ─── What anything that template.yaml deploys can do at most ─────────────────────────────────────────────────

    boundary = {
      description = "What functions, workflows and schedules of the environment can do at most"
      statements = [
        {
          Sid    = "RunTheShop"
          Effect = "Allow"
          Action = [
            "dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:ConditionCheckItem", "dynamodb:DeleteItem", "dynamodb:GetItem",
            "dynamodb:PutItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:UpdateItem",
            "lambda:GetAlias", "lambda:GetProvisionedConcurrencyConfig", "lambda:InvokeFunction", "lambda:UpdateAlias",
            "secretsmanager:GetSecretValue", "sns:Publish",
            "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:SendMessage",
            "states:DescribeExecution", "states:ListExecutions", "states:StartExecution", "states:StopExecution",
          ]
          Resource = [
            local.arns.executions, local.arns.functions, local.arns.machines, local.arns.queues, local.arns.secrets, local.arns.tables,
            local.arns.topics,
          ]
        },
        { Sid = "UseKeys", Effect = "Allow", Action = ["kms:Decrypt", "kms:GenerateDataKey", "kms:VerifyMac"], Resource = var.kms_key_arns },
        { Sid = "ReachPlayers", Effect = "Allow", Action = "execute-api:ManageConnections", Resource = "arn:aws:execute-api:${local.region}:*/${var.stage}/POST/@connections/*" },
        {
          Sid      = "WriteLogs"
          Effect   = "Allow"
          Action   = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
          Resource = [for group in local.arns.log_groups : "${group}:*"]
        },
        {
          Sid    = "DeliverLogsAndMetrics"
          Effect = "Allow"
          Action = [
            "cloudwatch:DescribeAlarms", "cloudwatch:PutMetricData",
            "logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies", "logs:GetLogDelivery",
            "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
          ]
          Resource = "*" # none of these has resources
        },
      ]
    }
  }
}
