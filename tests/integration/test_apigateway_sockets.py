"""Posting to WebSockets, over HTTP as API Gateway answers."""

import json
import socket
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError
from flask import Flask, request

from nyanko.adapters.apigateway_sockets import Sockets
from nyanko.composition.function import adapters, aws_clients
from nyanko.errors import Retryable
from nyanko.push import WORKERS
from tests.forget import forget_adapters
from tests.served import served

ENDPOINT = "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI"
FRAME = json.dumps({"type": "pong", "name": "三毛猫"}, ensure_ascii=False)


class Api:
    """Answers with the status that the connection id names, and without a body, as API Gateway does."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, str]] = []

    def application(self, _base_url: str) -> Flask:
        app = Flask(__name__)

        @app.post("/stg/@connections/<connection_id>")
        def post(connection_id: str) -> tuple[str, int]:
            self.posts.append((connection_id, request.get_data().decode()))
            return "", int(connection_id.removesuffix("="))

        return app


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    api = Api()
    for name in ("AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with served(api.application) as base_url:
        monkeypatch.setenv(ENDPOINT, f"{base_url}/stg")
        forget_adapters()
        yield api
        aws_clients()("apigatewaymanagementapi", attempts=1, connections=WORKERS).close()
    forget_adapters()


@pytest.fixture
def sockets(api: Api) -> Sockets:
    assert api.posts == []
    return adapters().sockets


def test_a_frame_is_posted_to_its_connection(api: Api, sockets: Sockets) -> None:
    assert sockets.post("200=", FRAME) is True
    assert api.posts == [("200=", FRAME)]


def test_a_connection_that_is_gone_is_no_error(sockets: Sockets) -> None:
    assert sockets.post("410=", FRAME) is False


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_is_retryable_and_left_to_the_caller_to_try_again(
    api: Api, sockets: Sockets, status: int
) -> None:
    with pytest.raises(Retryable, match=f"answered {status}"):
        sockets.post(f"{status}=", FRAME)
    assert len(api.posts) == 1


def test_what_would_not_pass_stays_what_it_is(sockets: Sockets) -> None:
    with pytest.raises(ClientError, match="403"):
        sockets.post("403=", FRAME)


def test_an_api_that_cannot_be_reached_is_retryable(monkeypatch: pytest.MonkeyPatch, api: Api) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv(ENDPOINT, f"http://127.0.0.1:{port}/stg")
    with pytest.raises(Retryable, match="could not be reached"):
        adapters().sockets.post("200=", FRAME)
    assert api.posts == []
