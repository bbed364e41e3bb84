"""`sam local start-lambda` stands in for Lambda before AWS's own SDK."""

import json

import pytest

from local import aws
from tests.data import SAMPLES
from tests.sam.conftest import Sam

pytestmark = pytest.mark.timeout(600)


def test_the_sdk_invokes_a_function(sam_local: Sam) -> None:
    event = {**SAMPLES["api"], "httpMethod": "GET", "path": "/health", "resource": "/health"}
    with sam_local.serving("start-lambda") as url:
        answered = aws.client("lambda", url).invoke(FunctionName="ApiFunction", Payload=json.dumps(event))
        with answered["Payload"] as payload:
            answer = json.loads(payload.read())
    assert (answered["StatusCode"], answer["statusCode"]) == (200, 200)
    assert json.loads(answer["body"])["stage"] == "local"
