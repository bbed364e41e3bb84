"""Takes `template.yaml` to ministack: SAM becomes CloudFormation, functions run from this checkout."""

import io
import json
import logging
import re
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import boto3
import yaml
from botocore.exceptions import ClientError
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from local import aws
from local.names import API_ID, REALTIME_API_ID, REGION, ROOT, STAGE
from local.process import StartError

STACK = f"{STAGE}-jm-nyanko"
BUCKET = f"{STAGE}-jm-nyanko-deployment"
CODE, TEMPLATE = "bootstrap.zip", "template.json"
ALIAS = re.compile(r'\{"Ref": "(\w+)\.Alias"\}')
DEPLOY_SECONDS = 60
POLL_SECONDS = 0.05

logging.getLogger("samtranslator").setLevel(logging.ERROR)  # it warns of feature toggles of its own service


def deploy(aws_url: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Create the stack and return its outputs; `environment` is set on every function.

    Raises `StartError` with the resources that could not be created and why.
    """
    s3 = aws.client("s3", aws_url)
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=BUCKET, Key=CODE, Body=_bootstrap())
    s3.put_object(Bucket=BUCKET, Key=TEMPLATE, Body=json.dumps(translate(environment)))
    cloudformation = aws.client("cloudformation", aws_url)
    cloudformation.create_stack(
        StackName=STACK,
        TemplateURL=f"{aws_url}/{BUCKET}/{TEMPLATE}",
        Parameters=[{"ParameterKey": "Stage", "ParameterValue": STAGE}],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
    )
    deadline = time.monotonic() + DEPLOY_SECONDS
    while True:
        stack = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
        if stack["StackStatus"] == "CREATE_COMPLETE":
            return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        if stack["StackStatus"] != "CREATE_IN_PROGRESS" or time.monotonic() > deadline:
            raise StartError(f"template.yaml: {stack['StackStatus']}\n{_reasons(cloudformation)}")
        time.sleep(POLL_SECONDS)


def require_machines(aws_url: str, stepfunctions_url: str) -> None:
    """Have every state machine read by who will run it; raises `StartError` naming a broken one."""
    stepfunctions = aws.client("stepfunctions", stepfunctions_url)
    for machine in aws.client("stepfunctions", aws_url).list_state_machines()["stateMachines"]:
        try:
            stepfunctions.describe_state_machine(stateMachineArn=machine["stateMachineArn"])
        except ClientError as error:
            raise StartError(f"state machine {machine['name']}: {error}") from None


def renew_functions(aws_url: str) -> None:
    """End the processes of all functions: they keep a secret for minutes, new ones read it anew."""
    functions = aws.client("lambda", aws_url)
    for function in functions.list_functions()["Functions"]:
        functions.update_function_configuration(
            FunctionName=function["FunctionName"], Timeout=function["Timeout"]
        )


@cache
def source() -> str:
    """`template.yaml` as JSON, read once: YAML takes a tenth of the stack's start."""
    return json.dumps(yaml_parse((ROOT / "template.yaml").read_text()))


def translate(environment: Mapping[str, str]) -> dict[str, Any]:
    """`template.yaml` as CloudFormation, its functions running from the source tree with `environment`."""
    template = json.loads(ALIAS.sub(r'{"Fn::GetAtt": ["\1", "Arn"]}', source()))
    layers = [ROOT / layer["ContentUri"] for layer in _each(template, "AWS::Serverless::LayerVersion")]
    code = f"s3://{BUCKET}/{CODE}"
    for layer in _each(template, "AWS::Serverless::LayerVersion"):
        layer["ContentUri"] = code
    for function in [
        template.get("Globals", {}).get("Function", {}),
        *_each(template, "AWS::Serverless::Function"),
    ]:
        # There is one version of each function, and no CodeDeploy that could move calls to the next.
        gradual = ("AutoPublishAlias", "AutoPublishCodeSha256", "DeploymentPreference")
        for replaced in ("Runtime", "Architectures", "Layers", *gradual):
            function.pop(replaced, None)
    for function in _each(template, "AWS::Serverless::Function"):
        path = ":".join(str(folder) for folder in (ROOT / function["CodeUri"], *layers))
        function |= {"Runtime": "provided.al2023", "CodeUri": code}
        function.setdefault("Environment", {}).setdefault("Variables", {}).update(
            environment, PYTHONPATH=path
        )
    for machine in _each(template, "AWS::Serverless::StateMachine"):
        machine["Definition"] = yaml.safe_load((ROOT / machine.pop("DefinitionUri")).read_text())
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=REGION))
    translated: dict[str, Any] = translator.translate(template, {"Stage": STAGE})
    for api in _each(translated, "AWS::ApiGateway::RestApi"):
        api.setdefault("Tags", []).append({"Key": "ms-custom-id", "Value": API_ID})
    for api in _each(translated, "AWS::ApiGatewayV2::Api"):
        api.setdefault("Tags", {})["ms-custom-id"] = REALTIME_API_ID
    return translated


def _each(template: Mapping[str, Any], resource_type: str) -> Iterator[dict[str, Any]]:
    for resource in template["Resources"].values():
        if resource["Type"] == resource_type:
            yield resource["Properties"]


def _bootstrap() -> bytes:
    """The code of every function, as far as ministack needs to know.

    Its own Python runtime would rename every exception, and Retry and Catch go by those names.
    """
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("bootstrap", f'#!/bin/sh\nexec "{sys.executable}" -m local.function "$_HANDLER"\n')
    return archive.getvalue()


def _reasons(cloudformation: Any) -> str:  # noqa: ANN401 a boto3 client
    events = cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]
    return "\n".join(
        f"  {event['LogicalResourceId']}: {event.get('ResourceStatusReason')}"
        for event in events
        if event["ResourceStatus"].endswith("FAILED")
    )
