"""What of AWS's failures may pass by itself."""

import socket
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from nyanko.adapters.aws_errors import aws_errors
from nyanko.errors import Retryable


def dynamodb(port: int) -> Any:
    return boto3.client(
        "dynamodb",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="ap-northeast-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(connect_timeout=1, read_timeout=0.2, retries={"total_max_attempts": 1}),
    )


def test_a_service_that_refuses_the_connection_is_retryable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Retryable, match="could not be reached"), aws_errors("DynamoDB"):
        dynamodb(port).list_tables()


def test_a_service_that_does_not_answer_is_retryable() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(Retryable, match="could not be reached"),
        aws_errors("DynamoDB"),
    ):
        dynamodb(silent.getsockname()[1]).list_tables()


@pytest.mark.parametrize(
    ("code", "status", "passes"),
    [
        ("ThrottlingException", 400, True),
        ("ProvisionedThroughputExceededException", 400, True),
        ("ExecutionLimitExceeded", 400, True),
        ("InternalServerError", 500, True),
        ("WhateverItIs", 503, True),
        ("ValidationException", 400, False),
        ("AccessDeniedException", 400, False),
        ("ResourceNotFoundException", 400, False),
    ],
)
def test_throttling_and_faults_of_aws_are_retryable_and_our_own_are_not(
    code: str, status: int, *, passes: bool
) -> None:
    client = dynamodb(9)
    with Stubber(client) as answers:
        answers.add_client_error("list_tables", code, http_status_code=status)
        with pytest.raises(Retryable if passes else ClientError), aws_errors("DynamoDB"):
            client.list_tables()
