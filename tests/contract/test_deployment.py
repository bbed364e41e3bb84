"""New versions of what handles money take over step by step, and step back when an alarm rings."""

import json
from typing import Any

import boto3
import pytest
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from tests import template
from tests.template import ROOT

MONEY_PATH = ("api", "stripe_webhook", "start_payment", "verify_event", "record_payment", "grant_items")
ALIASED = ("AWS::Lambda::Alias", "AWS::Lambda::Version")


def properties(folder: str) -> dict[str, Any]:
    found: dict[str, Any] = template.RESOURCES[template.functions()[folder].logical_id]["Properties"]
    return found


def cloudformation(version: str) -> dict[str, Any]:
    """What CloudFormation is told of a deployment."""
    source = yaml_parse((ROOT / "template.yaml").read_text())
    for resource in source["Resources"].values():
        for path in {"CodeUri", "ContentUri"} & resource.get("Properties", {}).keys():
            resource["Properties"][path] = "s3://artifacts/code"
        if resource["Type"] == "AWS::Serverless::StateMachine":
            del resource["Properties"]["DefinitionUri"]
            resource["Properties"]["Definition"] = template.definition("PaymentStateMachine")
    session = boto3.Session(region_name=template.REGION)
    parameters = {"Stage": template.STAGE, "Version": version}
    resources: dict[str, Any] = Translator({}, Parser(), boto_session=session).translate(source, parameters)
    return dict(resources["Resources"])


@pytest.mark.parametrize("folder", MONEY_PATH)
def test_a_new_version_gets_few_calls_until_alarms_have_kept_silent(folder: str) -> None:
    preference = properties(folder)["DeploymentPreference"]
    assert preference["Type"] == "Canary10Percent5Minutes"
    alarms = [alarm["Ref"] for alarm in preference["Alarms"]]
    assert alarms
    assert {template.RESOURCES[alarm]["Type"] for alarm in alarms} == {"AWS::CloudWatch::Alarm"}


def test_every_deployment_of_a_commit_is_a_new_version() -> None:
    """SAM derives versions from the function's own folder, and the domain is in a layer."""
    of = [
        {name for name, each in cloudformation(commit).items() if each["Type"] == "AWS::Lambda::Version"}
        for commit in ("0123abc", "4567def")
    ]
    assert [len(versions) for versions in of] == [len(MONEY_PATH)] * 2
    assert of[0].isdisjoint(of[1])


def test_callers_go_through_the_alias() -> None:
    resources = cloudformation("0123abc")
    for folder in MONEY_PATH:
        logical_id = template.functions()[folder].logical_id
        text = json.dumps([each for each in resources.values() if each["Type"] not in ALIASED])
        assert f"{logical_id}Aliaslive" in text
        assert f'"{logical_id}", "Arn"' not in text
        assert f"{logical_id}.Arn" not in text
