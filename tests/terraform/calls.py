"""Which IAM actions Terraform's calls need, as its provider's log has them.

The log names operations of APIs; most actions of IAM are called the same. Those that are not:
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

import re
from collections.abc import Iterator

RECORD = re.compile(r"^(?=\d{4}-\d\d-\d\dT[\d:.]+Z? \[)", re.MULTILINE)
SERVICE = re.compile(r'rpc\.service=(?:"([^"]+)"|(\S+))')
METHOD = re.compile(r"rpc\.method=(\w+)")

PREFIXES = {"CloudWatch Logs": "logs", "ApiGatewayV2": "apigateway", "API Gateway": "apigateway"}
RENAMED = {
    "s3:DeleteBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:DeleteBucketLifecycle": "s3:PutLifecycleConfiguration",
    "s3:DeleteBucketOwnershipControls": "s3:PutBucketOwnershipControls",
    "s3:DeletePublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "s3:GetBucketAccelerateConfiguration": "s3:GetAccelerateConfiguration",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:GetBucketReplication": "s3:GetReplicationConfiguration",
    "s3:GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
}
HTTP_METHODS = {"Create": "POST", "Delete": "DELETE", "Get": "GET", "Tag": "PUT", "Update": "PATCH"}


def actions(log: str) -> set[str]:
    return set(_actions(log))


def _actions(log: str) -> Iterator[str]:
    for record in RECORD.split(log):
        service, method = SERVICE.search(record), METHOD.search(record)
        if "HTTP Request Sent" in record and service and method:
            yield _action(service[1] or service[2], method[1])


def _action(service: str, method: str) -> str:
    prefix = PREFIXES.get(service, service.lower().replace(" ", ""))
    verb = re.match(r"[A-Z][a-z]+", method)
    assert verb, method
    match prefix:
        case "apigateway":
            return f"apigateway:{HTTP_METHODS[verb[0]]}"
        case "budgets" if verb[0] == "Describe":
            return "budgets:ViewBudget"
        case "budgets" if verb[0] in {"Create", "Update"}:
            return "budgets:ModifyBudget"
    action = f"{prefix}:{method}"
    return RENAMED.get(action, action)
