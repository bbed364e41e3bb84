"""What Terraform hands over is what `template.yaml` takes, and permissions of one fit those of the other."""

import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

import pytest

from local import foundation
from tests.template import ACCOUNT, REGION, ROOT, SOURCE, STAGE, as_list, each, resolved, statements
from tests.terraform.command import STAGES
from tests.terraform.plans import Plan, plan

# Two providers start for the plans, which a busy machine takes its time for.
pytestmark = pytest.mark.timeout(900)

READ = set(
    re.findall(r"\{\{resolve:ssm:/\$\{Stage\}/jm_nyanko/(\w+)\}\}", (ROOT / "template.yaml").read_text())
)
ONLY_WITH_DOMAINS = {"realtime_domain", "regional_web_acl_arn", "rest_domain"}
"""Read by resources of the condition HasDomains, which the local stack has not."""


@pytest.mark.parametrize("stage", STAGES)
def test_terraform_writes_exactly_the_parameters_that_the_template_reads(
    stage: str, plans: Mapping[str, Plan]
) -> None:
    written = {parameter.values["name"] for parameter in plans[stage].each("aws_ssm_parameter")}
    assert written == {f"/{stage}/jm_nyanko/{name}" for name in READ}


def test_the_local_stack_lays_the_same_parameters() -> None:
    sources = [(ROOT / "local" / name).read_text() for name in ("stack.py", "foundation.py")]
    laid = {name for name in READ if any(re.search(rf'"{name}": ', source) for source in sources)}
    assert laid == READ - ONLY_WITH_DOMAINS


@pytest.mark.parametrize("stage", STAGES)
def test_secrets_and_tables_are_those_of_the_local_stack(stage: str, plans: Mapping[str, Plan]) -> None:
    secrets = {secret.values["name"] for secret in plans[stage].each("aws_secretsmanager_secret")}
    assert secrets == {f"{stage}_jm_nyanko_{noun}" for noun in foundation.SECRETS}
    tables = {table.values["name"] for table in plans[stage].each("aws_dynamodb_table")}
    assert tables == {f"{stage}_jm_nyanko_{noun}" for noun in json.loads(foundation.TABLES.read_text())}


@pytest.fixture(scope="module")
def policies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """The statements of each policy of `modules/deploy_roles`, planned by itself with known ARNs of keys."""
    folder = "modules/deploy_roles"
    values = {
        "name": f"{STAGE}_jm_nyanko",
        "stage": STAGE,
        "region": REGION,
        "branch": "develop",
        "zone_id": "Z0000000000000000000",
        "kms_key_arns": [f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-1111-1111-1111-111111111111"],
        "smoke_test": True,
    }
    planned = plan(tmp_path_factory.mktemp("deploy_roles"), (folder,), values)[folder]
    return {
        policy.values["name"].removeprefix(f"{STAGE}_jm_nyanko_"): json.loads(policy.values["policy"])[
            "Statement"
        ]
        for policy in planned.each("aws_iam_policy")
    }


def allowed(policy: list[dict[str, Any]], action: str, resource: str) -> bool:
    return any(
        fnmatchcase(action, pattern) and fnmatchcase(resource, arn)
        for statement in policy
        if statement["Effect"] == "Allow"
        for pattern in as_list(statement["Action"])
        for arn in as_list(statement["Resource"])
    )


def permissions() -> Iterator[tuple[str, str]]:
    """Each action and resource that the template gives to a function or to the workflow."""
    for kind in ("AWS::Serverless::Function", "AWS::Serverless::StateMachine"):
        for _, properties in each(kind):
            for statement in statements(properties):
                for action in statement["Action"]:
                    for resource in as_list(statement["Resource"]):
                        yield action, _with_key(resource)


def _with_key(resource: str) -> str:
    """Parameters of keys stand for the keys' ARNs."""
    return re.sub(
        r"\{\{resolve:ssm:.*_key_arn\}\}",
        f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-1111-1111-1111-111111111111",
        resource,
    )


def test_the_boundary_lets_every_function_do_its_work(policies: Mapping[str, list[dict[str, Any]]]) -> None:
    wanted = set(permissions())
    assert wanted
    assert {
        (action, resource)
        for action, resource in wanted
        if not allowed(policies["boundary"], action, resource)
    } == set()


def test_functions_never_sign_replays(policies: Mapping[str, list[dict[str, Any]]]) -> None:
    assert not allowed(policies["boundary"], "kms:GenerateMac", "*")


def test_every_role_of_the_template_carries_the_boundary() -> None:
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/{STAGE}_jm_nyanko_boundary"
    assert resolved(SOURCE["Globals"]["Function"]["PermissionsBoundary"]) == boundary
    for kind in ("AWS::Serverless::StateMachine", "AWS::IAM::Role"):
        for logical_id, properties in each(kind):
            assert resolved(properties.get("PermissionsBoundary")) == boundary, logical_id


@pytest.mark.parametrize(
    ("kind", "attribute", "action", "arn"),
    [
        ("CloudWatch::Alarm", "AlarmName", "cloudwatch:PutMetricAlarm", "{region}:{account}:alarm:{name}"),
        ("CloudWatch::Dashboard", "DashboardName", "cloudwatch:PutDashboard", ":{account}:dashboard/{name}"),
        ("Events::Rule", "Name", "events:PutRule", "{region}:{account}:rule/{name}"),
        ("Logs::LogGroup", "LogGroupName", "logs:CreateLogGroup", "{region}:{account}:log-group:{name}"),
        ("SNS::Topic", "TopicName", "sns:CreateTopic", "{region}:{account}:{name}"),
        ("SQS::Queue", "QueueName", "sqs:CreateQueue", "{region}:{account}:{name}"),
        (
            "Serverless::Function",
            "FunctionName",
            "lambda:CreateFunction",
            "{region}:{account}:function:{name}",
        ),
        (
            "Serverless::LayerVersion",
            "LayerName",
            "lambda:PublishLayerVersion",
            "{region}:{account}:layer:{name}",
        ),
        (
            "Serverless::StateMachine",
            "Name",
            "states:CreateStateMachine",
            "{region}:{account}:stateMachine:{name}",
        ),
    ],
    ids=lambda text: text if "::" in text else "",
)
def test_cloudformation_may_make_what_the_template_names(
    kind: str, attribute: str, action: str, arn: str, policies: Mapping[str, list[dict[str, Any]]]
) -> None:
    names = [resolved(properties[attribute]) for _, properties in each(f"AWS::{kind}")]
    assert names
    service = action.partition(":")[0]
    arns = {f"arn:aws:{service}:{arn.format(region=REGION, account=ACCOUNT, name=name)}" for name in names}
    role = policies["template"] + policies["functions"]
    assert {made for made in arns if not allowed(role, action, made)} == set()
