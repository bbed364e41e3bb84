"""stg and prod have nothing in common, and prod is looked after better."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.template import RESOURCES, ROOT
from tests.terraform.command import STAGES, TERRAFORM
from tests.terraform.plans import Plan

# Two providers start for the plans, which a busy machine takes its time for.
pytestmark = pytest.mark.timeout(900)

IDENTITIES = ("alarm_name", "aliases", "bucket", "domain_name", "name", "role")
"""Attributes by which AWS tells one resource from another of its kind."""

IDENTIFIED = {
    "aws_acm_certificate",
    "aws_api_gateway_domain_name",
    "aws_cloudfront_distribution",
    "aws_dynamodb_table",
    "aws_iam_role",
    "aws_kms_alias",
    "aws_route53_zone",
    "aws_s3_bucket",
    "aws_secretsmanager_secret",
    "aws_sns_topic",
    "aws_ssm_parameter",
    "aws_wafv2_web_acl",
}
NAMES_IN_TEMPLATE = {
    "AlarmName",
    "DashboardName",
    "FunctionName",
    "LayerName",
    "LogGroupName",
    "Name",
    "QueueName",
    "TopicName",
}
NAMED_WITHIN_OTHERS = {"AWS::ApiGatewayV2::Authorizer", "AWS::Lambda::Permission"}
OTHER = {"stg": "prod", "prod": "stg"}


def words(value: Any) -> Iterator[str]:
    """Every text in a value, those of policies too."""
    match value:
        case Mapping():
            for key, inner in value.items():
                yield from (key, *words(inner))
        case list():
            for inner in value:
                yield from words(inner)
        case str():
            yield value


def identities(plan: Plan) -> set[tuple[str, str, str]]:
    return {
        (resource.kind, attribute, identity)
        for resource in plan.resources
        for attribute in IDENTITIES
        for identity in words(resource.values.get(attribute))
    }


def belongs_to(stage: str) -> "re.Pattern[str]":
    """The environment's prefix as it stands in names, or its domain."""
    domain = {"stg": r"stg\.cat\.joinmake\.jp", "prod": r"(?<!stg\.)cat\.joinmake\.jp"}[stage]
    return re.compile(rf"(?<![a-z]){stage}[_-]jm[_-]nyanko|/{stage}/jm_nyanko|{domain}")


def backend(stage: str) -> dict[str, str]:
    text = (TERRAFORM / "envs" / stage / "backend.tf").read_text()
    return dict(re.findall(r'^ +(\w+) += "(.*)"$', text, re.MULTILINE))


def test_no_name_key_table_secret_bucket_domain_or_role_is_shared(plans: Mapping[str, Plan]) -> None:
    stg, prod = (identities(plans[stage]) for stage in STAGES)
    assert stg & prod == set()
    assert {kind for kind, _, _ in stg} >= IDENTIFIED
    assert {kind for kind, _, _ in prod} >= IDENTIFIED


@pytest.mark.parametrize("stage", STAGES)
def test_nothing_of_one_environment_mentions_the_other(stage: str, plans: Mapping[str, Plan]) -> None:
    foreign = belongs_to(OTHER[stage])
    mentioned = {
        resource.address: word
        for resource in plans[stage].resources
        for word in words(resource.values)
        if foreign.search(word)
    }
    assert mentioned == {}


@pytest.mark.parametrize("stage", STAGES)
def test_every_name_says_whose_it_is(stage: str, plans: Mapping[str, Plan]) -> None:
    nameless = [
        resource.address
        for resource in plans[stage].resources
        for name in words([resource.values.get(attribute) for attribute in ("name", "alarm_name", "bucket")])
        if not belongs_to(stage).search(name)
    ]
    assert nameless == []


def test_states_and_locks_are_apart() -> None:
    stg, prod = (backend(stage) for stage in STAGES)
    assert set(stg) == {"bucket", "key", "region", "dynamodb_table"}
    assert {name for name in stg if stg[name] == prod[name]} == {"region"}


def test_what_sam_names_is_apart_too() -> None:
    """Every name in the template carries the stage, and each stage's stack and artifacts have their own."""
    unstaged = [
        f"{logical_id}: {name}"
        for logical_id, resource in RESOURCES.items()
        if resource["Type"] not in NAMED_WITHIN_OTHERS
        for attribute, name in resource.get("Properties", {}).items()
        if attribute in NAMES_IN_TEMPLATE and "${Stage}" not in json.dumps(name)
    ]
    assert unstaged == []
    samconfig = (ROOT / "samconfig.toml").read_text()
    for setting in ("stack_name", "s3_bucket", "parameter_overrides"):
        stg, prod = re.findall(rf'^{setting} = "(.*)"$', samconfig, re.MULTILINE)
        assert ("stg" in stg, "prod" in prod) == (True, True)


def test_prod_keeps_its_data(plans: Mapping[str, Plan]) -> None:
    assert all(
        table.values["deletion_protection_enabled"] for table in plans["prod"].each("aws_dynamodb_table")
    )
    assert not any(bucket.values["force_destroy"] for bucket in plans["prod"].each("aws_s3_bucket"))


@pytest.mark.parametrize("stage", STAGES)
def test_every_table_can_be_put_back_to_any_second(stage: str, plans: Mapping[str, Plan]) -> None:
    for table in plans[stage].each("aws_dynamodb_table"):
        assert table.values["point_in_time_recovery"][0]["enabled"], table.address
        assert table.values["server_side_encryption"][0]["enabled"], table.address


@pytest.mark.parametrize("stage", STAGES)
def test_no_bucket_is_public(stage: str, plans: Mapping[str, Plan]) -> None:
    blocks = list(plans[stage].each("aws_s3_bucket_public_access_block"))
    assert len(blocks) == len(list(plans[stage].each("aws_s3_bucket")))
    for block in blocks:
        assert all(
            value
            for name, value in block.values.items()
            if name.startswith(("block_", "ignore_", "restrict_"))
        )


@pytest.mark.parametrize("stage", STAGES)
def test_every_log_group_ends_and_is_encrypted(stage: str, plans: Mapping[str, Plan]) -> None:
    for group in plans[stage].each("aws_cloudwatch_log_group"):
        assert group.values["retention_in_days"], group.address
        assert group.is_set("kms_key_id"), group.address
    for logical_id, resource in RESOURCES.items():
        if resource["Type"] == "AWS::Logs::LogGroup":
            assert {"RetentionInDays", "KmsKeyId"} <= set(resource["Properties"]), logical_id


@pytest.mark.parametrize(("stage", "branch"), [("stg", "develop"), ("prod", "main")])
def test_only_one_branch_deploys(stage: str, branch: str, plans: Mapping[str, Plan]) -> None:
    trusts = {
        role.values["name"]: json.loads(role.values["assume_role_policy"])["Statement"][0]
        for role in plans[stage].each("aws_iam_role")
    }
    deploy = trusts[f"{stage}_jm_nyanko_deploy"]
    assert deploy["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"] == [
        f"repo:joinmake/jm_nyanko:environment:{stage}:ref:refs/heads/{branch}"
    ]
    for name, trust in trusts.items():
        conditions = trust["Condition"]["StringEquals"]
        assert "*" not in json.dumps(conditions), name


@pytest.mark.parametrize("stage", STAGES)
def test_everything_that_can_be_tagged_says_its_environment(stage: str, plans: Mapping[str, Plan]) -> None:
    tagged = [resource for resource in plans[stage].resources if "tags_all" in resource.values]
    assert tagged
    assert [r.address for r in tagged if (r.values["tags_all"] or {}).get("stage") != stage] == []
