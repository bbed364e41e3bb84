"""Terraform for real, against ministack in AWS's place: from an empty account to both environments, and back.

The tests stand in the order in which they happen. What ministack cannot do is listed in docs/deploy.md and
left out here alone.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from local import aws, deploy, programs
from local.names import loopback
from local.stack import Ports
from tests.template import ACCOUNT, as_list
from tests.terraform.calls import actions
from tests.terraform.command import STAGES, Checkout, together

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]

ENVIRONMENTS = tuple(f"envs/{stage}" for stage in STAGES)
ACCOUNT_STATE = f"jm-nyanko-account-terraform-state-{ACCOUNT}"

NOT_IN_MINISTACK = {
    "modules/waf": [
        "aws_wafv2_web_acl_logging_configuration.cloudfront",
        "aws_wafv2_web_acl_logging_configuration.regional",
    ],
    "modules/audit": ["aws_guardduty_detector.this", "aws_guardduty_detector.us_east_1"],
    "account": ["aws_s3_account_public_access_block.this"],
}
NOT_IN_CLOUDFORMATION_OF_MINISTACK = "RestWebAcl"
FORGOTTEN_BY_MINISTACK = {
    "bootstrap": set[str](),
    "account": {"module.audit.aws_cloudtrail.this", "module.audit.aws_cloudwatch_metric_alarm.root"},
    "envs": {
        "module.environment.module.alarms.aws_cloudwatch_metric_alarm.drift",
        "module.environment.module.api_domains.aws_api_gateway_domain_name.rest",
        "module.environment.module.edge.aws_cloudfront_response_headers_policy.site",
    },
}
"""What it answers differently from what it was told, so that a second plan would tell it again."""

ADMINISTRATORS = ("iam:*", "route53:CreateHostedZone")
"""What only the first apply and those of roles need, which people make."""

PATH_STYLE = """
provider "aws" {
  s3_use_path_style = true
}
"""
PATH_STYLE_US_EAST_1 = """
provider "aws" {
  alias             = "us_east_1"
  s3_use_path_style = true
}
"""
UNPROTECTED = """
module "environment" {
  deletion_protection = false
}
"""


@dataclass(frozen=True)
class Account:
    """An account at `url` that Terraform makes from `checkout`; `log` has what it asked AWS for stg."""

    url: str
    checkout: Checkout
    log: Path

    @property
    def environment(self) -> dict[str, str]:
        return {"AWS_ENDPOINT_URL": self.url}

    def terraform(self, folder: str, *arguments: str) -> str:
        return self.checkout.run(folder, *arguments, environment=self.environment)

    def side_by_side(self, *arguments: str) -> None:
        """One command in both environments at once: they wait most of the time."""
        together(
            self.checkout.start(folder, *arguments, environment=self.environment | self._logged(folder))
            for folder in ENVIRONMENTS
        )

    def resources(self, folder: str) -> list[dict[str, object]]:
        """Attributes of all resources in a state."""
        state = json.loads(self.terraform(folder, "state", "pull"))
        return [
            {**instance["attributes"], "address": f"{resource.get('module', '')}.{resource['type']}"}
            for resource in state["resources"]
            if resource["mode"] == "managed"
            for instance in resource["instances"]
        ]

    def _logged(self, folder: str) -> dict[str, str]:
        if folder != "envs/stg":
            return {}
        return {"TF_LOG_PROVIDER": "DEBUG", "TF_LOG_PATH": str(self.log)}


def overrides() -> dict[str, str]:
    left_out = {
        folder: "".join(
            f'resource "{kind}" "{name}" {{\n  count = 0\n}}\n'
            for kind, name in (address.split(".") for address in addresses)
        )
        for folder, addresses in NOT_IN_MINISTACK.items()
    }
    providers = {
        "bootstrap": PATH_STYLE,
        **dict.fromkeys(("account", *ENVIRONMENTS), PATH_STYLE + PATH_STYLE_US_EAST_1),
    }
    return {
        f"{folder}/emulator_override.tf": left_out.get(folder, "") + providers.get(folder, "")
        for folder in {*left_out, *providers}
    }


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Everything laid in the order of docs/deploy.md: bootstrap, account, both environments."""
    directory = tmp_path_factory.mktemp("emulator")
    for folder in ("logs", "tmp"):
        (directory / folder).mkdir()
    port = Ports.free().aws
    ministack = programs.ministack(port, directory, on_restart=lambda: None)
    account = Account(loopback(port), Checkout(directory, overrides()), directory / "calls.log")
    initialise = account.checkout.initialise
    initialise("bootstrap")
    ministack.start()
    try:
        ministack.await_health()
        account.terraform("bootstrap", "apply", "-auto-approve", "-input=false", "-no-color")
        for folder, state in {"account": ACCOUNT_STATE, **dict.fromkeys(ENVIRONMENTS, "")}.items():
            bucket = [f"-backend-config=bucket={state}"] if state else []
            initialise(
                folder, *bucket, "-backend-config=use_path_style=true", environment=account.environment
            )
        account.terraform("account", "apply", "-auto-approve", "-input=false", "-no-color")
        account.side_by_side("plan", "-input=false", "-no-color", "-out=plan")
        account.side_by_side("apply", "-input=false", "-no-color", "plan")
        yield account
    finally:
        ministack.stop()


@pytest.mark.parametrize("folder", ["bootstrap", "account", *ENVIRONMENTS])
def test_a_second_plan_finds_nothing_to_do(folder: str, account: Account) -> None:
    account.terraform(folder, "plan", "-input=false", "-no-color", "-out=again")
    again = json.loads(account.terraform(folder, "show", "-json", "again"))
    changed = {
        change["address"]: change["change"]["actions"]
        for change in again["resource_changes"]
        if change["change"]["actions"] != ["no-op"]
    }
    assert changed == {address: ["update"] for address in FORGOTTEN_BY_MINISTACK[folder.partition("/")[0]]}


def test_each_state_is_in_a_bucket_of_its_own(account: Account) -> None:
    s3 = aws.client("s3", account.url)
    keys = {
        bucket: [found["Key"] for found in s3.list_objects_v2(Bucket=bucket)["Contents"]]
        for bucket in (ACCOUNT_STATE, "stg-jm-nyanko-terraform-state", "prod-jm-nyanko-terraform-state")
    }
    assert keys == {
        ACCOUNT_STATE: ["account/terraform.tfstate"],
        "stg-jm-nyanko-terraform-state": ["stg/terraform.tfstate"],
        "prod-jm-nyanko-terraform-state": ["prod/terraform.tfstate"],
    }


def test_nothing_that_aws_made_is_shared(account: Account) -> None:
    stg, prod = (
        {
            str(resource[attribute])
            for resource in account.resources(folder)
            for attribute in ("arn", "id")
            if resource.get(attribute)
        }
        for folder in ENVIRONMENTS
    )
    assert min(len(stg), len(prod)) > 100
    assert stg & prod == set()


def test_a_locked_state_is_left_alone(account: Account) -> None:
    dynamodb = aws.client("dynamodb", account.url)
    lock = {"LockID": {"S": "stg-jm-nyanko-terraform-state/stg/terraform.tfstate"}}
    held = {"ID": "held", "Operation": "apply", "Who": "somebody", "Created": "2026-01-01T00:00:00Z"}
    table = "stg_jm_nyanko_terraform_lock"
    dynamodb.put_item(TableName=table, Item={**lock, "Info": {"S": json.dumps(held)}})
    try:
        status, output = account.checkout.attempt(
            "envs/stg", "plan", "-input=false", "-no-color", environment=account.environment
        )
    finally:
        dynamodb.delete_item(TableName=table, Key=lock)
    assert status == 1
    assert "Error acquiring the state lock" in output
    assert "somebody" in output


def test_no_value_of_a_secret_is_in_a_state(account: Account) -> None:
    secrets = aws.client("secretsmanager", account.url)
    secrets.put_secret_value(SecretId="stg_jm_nyanko_stripe_api_key", SecretString="sk_test_never_in_state")
    secrets_alone = "-target=module.environment.module.secrets"
    account.terraform("envs/stg", "refresh", "-input=false", "-no-color", secrets_alone)
    assert "sk_test_never_in_state" not in account.terraform("envs/stg", "state", "pull")


def test_what_terraform_asks_of_aws_is_permitted(account: Account) -> None:
    """Reading is the plan role's, writing the deploy role's, writing roles an administrator's."""
    asked = actions(account.log.read_text())
    reading = {action for action in asked if re.match(r"\w+:(Describe|Get|List|View|GET)", action)}
    writing = asked - reading
    assert reading
    assert writing
    assert _uncovered(reading, _permitted(account, "state", "read")) == set()
    assert _uncovered(writing, [*_permitted(account, "state", "read", "apply"), *ADMINISTRATORS]) == set()


def _permitted(account: Account, *policies: str) -> list[str]:
    return [
        pattern
        for policy in account.resources("envs/stg")
        if policy["address"] == "module.environment.module.deploy_roles.aws_iam_policy"
        and str(policy["name"]).removeprefix("stg_jm_nyanko_") in policies
        for statement in json.loads(str(policy["policy"]))["Statement"]
        if statement["Effect"] == "Allow"
        for pattern in as_list(statement["Action"])
    ]


def _uncovered(asked: set[str], patterns: list[str]) -> set[str]:
    return {action for action in asked if not any(fnmatchcase(action, pattern) for pattern in patterns)}


def test_the_template_deploys_on_what_terraform_made(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    translate = deploy.translate

    def translate_what_ministack_knows(environment: Mapping[str, str]) -> dict[str, Any]:
        translated = translate(environment)
        del translated["Resources"][NOT_IN_CLOUDFORMATION_OF_MINISTACK]
        return translated

    monkeypatch.setattr(deploy, "translate", translate_what_ministack_knows)
    monkeypatch.setattr(deploy, "STAGE", "stg")
    monkeypatch.setattr(deploy, "STACK", "stg-jm-nyanko")
    monkeypatch.setattr(deploy, "BUCKET", "stg-jm-nyanko-deployment")
    assert deploy.deploy(account.url, {})
    rest = aws.client("apigateway", account.url)
    mappings = rest.get_base_path_mappings(domainName="api.stg.cat.joinmake.jp")["items"]
    assert [mapping["stage"] for mapping in mappings] == ["stg"]
    realtime = aws.client("apigatewayv2", account.url)
    mappings = realtime.get_api_mappings(DomainName="ws.stg.cat.joinmake.jp")["Items"]
    assert [mapping["Stage"] for mapping in mappings] == ["stg"]
    functions = aws.client("lambda", account.url)
    function = functions.get_function_configuration(FunctionName="stg_jm_nyanko_api")
    environment = function["Environment"]["Variables"]
    assert environment["FRONTEND_URL"] == "https://stg.cat.joinmake.jp/play/"
    assert environment["FRONTEND_ORIGIN"] == "https://stg.cat.joinmake.jp"
    assert environment["REALTIME_URL"] == "wss://ws.stg.cat.joinmake.jp"
    aws.client("cloudformation", account.url).delete_stack(StackName="stg-jm-nyanko")


def test_everything_comes_down_again(account: Account) -> None:
    """As docs/deploy.md says: prod gives up its protection first."""
    account.checkout.path("envs/prod/unprotected_override.tf").write_text(UNPROTECTED)
    # All but the domain name, which ministack can make but not change.
    protected = ("data", "artifacts", "edge.module.bucket")
    targets = [f"-target=module.environment.module.{module}" for module in protected]
    account.terraform("envs/prod", "apply", "-auto-approve", "-input=false", "-no-color", *targets)
    account.side_by_side("destroy", "-auto-approve", "-input=false", "-no-color")
    account.terraform("account", "destroy", "-auto-approve", "-input=false", "-no-color")
    for folder in ("account", *ENVIRONMENTS):
        assert account.resources(folder) == []
    tables = aws.client("dynamodb", account.url).list_tables()["TableNames"]
    assert sorted(tables) == [
        f"{name}_terraform_lock" for name in ("jm_nyanko_account", "prod_jm_nyanko", "stg_jm_nyanko")
    ]
    assert aws.client("ssm", account.url).describe_parameters()["Parameters"] == []
