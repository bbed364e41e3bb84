"""One word per thing: folder, logical id, function name, service name and sample are the same word."""

import pytest

from tests import template
from tests.template import ROOT, Function

FUNCTIONS = template.functions()


def camel_case(folder: str) -> str:
    return "".join(word.capitalize() for word in folder.split("_"))


def test_every_folder_is_a_function_of_the_template() -> None:
    folders = {path.parent.name for path in (ROOT / "functions").glob("*/app.py")}
    assert folders == set(FUNCTIONS)


def test_every_function_has_a_sample() -> None:
    assert {path.stem for path in (ROOT / "events").glob("*.json")} == set(FUNCTIONS)


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_a_function_is_named_after_its_folder(function: Function) -> None:
    assert function.logical_id == f"{camel_case(function.folder)}Function"
    assert function.name == f"{template.STAGE}_jm_nyanko_{function.folder}"
    assert function.environment["POWERTOOLS_SERVICE_NAME"] == function.folder


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_a_function_folder_holds_one_module(function: Function) -> None:
    files = [
        path.name for path in (ROOT / "functions" / function.folder).iterdir() if path.name != "__pycache__"
    ]
    assert files == ["app.py"]


@pytest.mark.parametrize(
    ("resource_type", "name"),
    [
        ("AWS::SQS::Queue", "QueueName"),
        ("AWS::Serverless::StateMachine", "Name"),
        ("AWS::Serverless::LayerVersion", "LayerName"),
        ("AWS::Events::Rule", "Name"),
        ("AWS::Serverless::Api", "Name"),
        ("AWS::ApiGatewayV2::Api", "Name"),
    ],
)
def test_names_carry_the_stage(resource_type: str, name: str) -> None:
    named = [template.resolved(properties[name]) for _, properties in template.each(resource_type)]
    assert named
    assert all(each.startswith(f"{template.STAGE}_jm_nyanko_") for each in named)
