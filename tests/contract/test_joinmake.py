"""The Join&make adapter and the stand-in keep to docs/joinmake.openapi.yaml, in every exchange there is."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jsonschema
import pytest
import requests
from flask import Flask, Response, request

from local.joinmake import contract
from local.joinmake.app import create_app
from nyanko.adapters.joinmake import USER_ID_MAX_LENGTH, Joinmake
from tests.served import served
from tests.web3auth_tokens import APP_KEY, NOW

API_KEY = "join-and-make"
KEY_HEADER = contract.DOCUMENT["components"]["securitySchemes"]["apiKey"]["name"]


@dataclass
class Exchange:
    method: str
    path: str
    headers: dict[str, str]
    sent: Any
    status: int
    answered: Any

    def problems(self) -> list[str | None]:
        checked = [
            contract.problem(contract.response_schema(self.method, self.path, self.status), self.answered)
        ]
        if self.method == "POST":
            checked.append(contract.problem("NewUser", self.sent))
        return [problem for problem in checked if problem]


@pytest.fixture
def recorded() -> Iterator[tuple[str, list[Exchange]]]:
    exchanges: list[Exchange] = []

    def create(_base_url: str) -> Flask:
        app = create_app(API_KEY)

        @app.after_request
        def record(response: Response) -> Response:
            if request.url_rule is not None and not request.path.startswith("/_"):
                path = request.url_rule.rule.replace("<", "{").replace(">", "}")
                sent = request.get_json(silent=True)
                answered = response.get_json()
                headers = dict(request.headers)
                exchanges.append(
                    Exchange(request.method, path, headers, sent, response.status_code, answered)
                )
            return response

        return app

    with served(create) as url:
        yield url, exchanges


def test_every_schema_of_the_document_is_one() -> None:
    assert contract.DOCUMENT["openapi"].startswith("3.1")
    schemas = contract.DOCUMENT["components"]["schemas"]
    assert schemas.keys() >= {"User", "NewUser", "Error", "Subject"}
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_the_adapter_asks_and_is_answered_as_agreed(recorded: tuple[str, list[Exchange]]) -> None:
    url, exchanges = recorded
    adapter = Joinmake(url, lambda: API_KEY)
    adapter.player(APP_KEY, NOW)
    requests.put(f"{url}/_faults", json={"method": "GET", "status": 404, "times": 1}, timeout=5)
    adapter.player(APP_KEY, NOW)
    told = [(exchange.method, exchange.status) for exchange in exchanges]
    assert told == [("GET", 404), ("POST", 201), ("GET", 404), ("POST", 409), ("GET", 200)]
    assert [exchange.problems() for exchange in exchanges] == [[]] * 5
    assert {exchange.headers[KEY_HEADER] for exchange in exchanges} == {API_KEY}
    assert {exchange.headers.get("Content-Type") for exchange in exchanges if exchange.sent} == {
        "application/json"
    }


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"subject": APP_KEY, "email": "mike@example.com"}, 400),
        ({"subject": APP_KEY.upper()}, 400),
        ({}, 400),
        ([], 400),
        (None, 400),
    ],
    ids=str,
)
def test_the_stand_in_refuses_what_was_not_agreed(
    recorded: tuple[str, list[Exchange]], sent: Any, status: int
) -> None:
    url, exchanges = recorded
    answer = requests.post(f"{url}/users", json=sent, headers={KEY_HEADER: API_KEY}, timeout=5)
    assert answer.status_code == status
    assert contract.problem("Error", exchanges[0].answered) is None


def test_the_stand_in_refuses_a_wrong_key_as_agreed(recorded: tuple[str, list[Exchange]]) -> None:
    url, exchanges = recorded
    requests.get(f"{url}/users/{APP_KEY}", headers={KEY_HEADER: "wrong"}, timeout=5)
    requests.post(f"{url}/users", json={"subject": APP_KEY}, timeout=5)
    assert [exchange.status for exchange in exchanges] == [401, 401]
    assert [exchange.problems() for exchange in exchanges] == [[], []]


def test_the_adapter_takes_the_longest_user_id_that_was_agreed() -> None:
    assert contract.DOCUMENT["components"]["schemas"]["User"]["properties"]["user_id"]["maxLength"] == (
        USER_ID_MAX_LENGTH
    )
