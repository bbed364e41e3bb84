"""The authorizer's function with Web3Auth, Join&make and DynamoDB behind it: who is let in, until when."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from moto import mock_aws

import local.joinmake.app
import local.web3auth.app
from functions.authorizer import app
from nyanko.adapters.web3auth import Web3AuthVerifier
from nyanko.composition.adapters import Adapters
from nyanko.composition.function import adapters
from nyanko.errors import Retryable
from tests.forget import forget_adapters
from tests.invocation import invocation
from tests.served import served
from tests.web3auth_tokens import BAD_TOKENS, CLIENT_ID, ISSUERS, NOW, JwksHost

ROOT = Path(__file__).parents[2]
EVENT = json.loads((ROOT / "events" / "authorizer.json").read_text())
STAGE_ARN = "arn:aws:execute-api:ap-northeast-1:123456789012:a1b2c3d4e5/stg"


class Backend:
    def __init__(self, web3auth: str, joinmake: str) -> None:
        self.web3auth = web3auth
        self.joinmake = joinmake

    def sign_in(self, name: str, **fields: Any) -> dict[str, str]:
        answer = requests.post(f"{self.web3auth}/token", json={"name": name, **fields}, timeout=5)
        signed_in: dict[str, str] = answer.json()
        return signed_in

    def authorize(self, token: str, method_arn: str = EVENT["methodArn"]) -> dict[str, Any]:
        event = EVENT | {"authorizationToken": f"Bearer {token}", "methodArn": method_arn}
        return app.lambda_handler(event, invocation())

    def join_and_make_is_down(self) -> None:
        assert requests.put(f"{self.joinmake}/_faults", json={"status": 500}, timeout=5).ok

    def join_and_make_is_back(self) -> None:
        assert requests.delete(f"{self.joinmake}/_faults", timeout=5).ok


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
    def create_web3auth(base_url: str) -> Any:
        return local.web3auth.app.create_app(base_url, CLIENT_ID)

    def create_joinmake(_base_url: str) -> Any:
        return local.joinmake.app.create_app("join-and-make")

    with served(create_web3auth) as web3auth, served(create_joinmake) as joinmake, mock_aws():
        issuers = [
            {"issuer": issuer, "jwks_url": f"{issuer}/jwks"} for issuer in (web3auth, f"{web3auth}/external")
        ]
        for name, value in {
            "AWS_DEFAULT_REGION": "ap-northeast-1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "STAGE": "stg",
            "WEB3AUTH_CLIENT_ID": CLIENT_ID,
            "WEB3AUTH_ISSUERS": json.dumps(issuers),
            "JOINMAKE_API_URL": joinmake,
        }.items():
            monkeypatch.setenv(name, value)
        forget_adapters()
        boto3.client("secretsmanager").create_secret(
            Name="stg_jm_nyanko_joinmake_api_key", SecretString="join-and-make\n"
        )
        boto3.client("dynamodb").create_table(
            TableName="stg_jm_nyanko_players",
            KeySchema=[{"AttributeName": "subject", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "subject", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield Backend(web3auth, joinmake)
        forget_adapters()


class Log(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(repr(vars(record)))


@pytest.fixture
def log() -> Iterator[Log]:
    handler, logger = Log(), logging.getLogger(app.logger.name)
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


@pytest.mark.parametrize("fields", [{}, {"wallet": True}], ids=["social login", "external wallet"])
def test_a_new_player_may_call_the_whole_stage_and_is_known_from_then_on(
    backend: Backend, fields: dict[str, Any]
) -> None:
    mike = backend.sign_in("mike", **fields)
    allowed = backend.authorize(mike["token"])
    [statement] = allowed["policyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "execute-api:Invoke")
    assert statement["Resource"] == f"{STAGE_ARN}/*"
    assert allowed["principalId"] == mike["player_id"]
    assert allowed["context"] == {"player_id": mike["player_id"], "birth_month": "1990-01"}
    known = adapters().players.get(mike["player_id"])
    assert known is not None
    assert known.joinmake_user_id.startswith("jm_")


@pytest.mark.parametrize(
    "fields",
    [{"name": " "}, {"name": "x" * 65}, {"name": "mike", "redirect_uri": "https://example.com/"}],
    ids=str,
)
def test_the_stand_in_says_what_is_wrong_with_a_sign_in(backend: Backend, fields: dict[str, str]) -> None:
    answer = requests.post(backend.web3auth, data=fields, timeout=5)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(list(fields)[-1])


@pytest.mark.parametrize("path", ["GET/", "POST/inventory/catnip/spend", "GET/purchases/a/b/../c"])
def test_every_method_and_path_gets_the_answer_that_the_cache_may_keep(backend: Backend, path: str) -> None:
    allowed = backend.authorize(backend.sign_in("mike")["token"], f"{STAGE_ARN}/{path}")
    assert allowed["policyDocument"]["Statement"][0]["Resource"] == f"{STAGE_ARN}/*"


def test_what_the_cache_keeps_ends_with_the_token(backend: Backend) -> None:
    mike = backend.sign_in("mike", expires_in=90)
    condition = backend.authorize(mike["token"])["policyDocument"]["Statement"][0]["Condition"]
    date = condition["DateLessThan"]["aws:CurrentTime"]
    assert condition == {"DateLessThan": {"aws:CurrentTime": date}}
    assert (
        datetime.fromisoformat(date).timestamp()
        == adapters().web3auth_verifier.verify(mike["token"]).expires_at
    )
    assert date.endswith("Z")


def test_the_sample_event_is_refused_until_a_token_is_pasted(backend: Backend) -> None:
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        app.lambda_handler(EVENT, invocation())
    pasted = json.dumps(EVENT).replace("PASTE.A.TOKEN", backend.sign_in("mike")["token"])
    assert app.lambda_handler(json.loads(pasted), invocation())["policyDocument"]["Version"] == "2012-10-17"


def test_a_known_player_goes_on_while_join_and_make_is_down(backend: Backend) -> None:
    mike = backend.sign_in("mike")
    backend.authorize(mike["token"])
    backend.join_and_make_is_down()
    again = backend.sign_in("mike")
    assert backend.authorize(again["token"])["principalId"] == mike["player_id"]


def test_a_new_player_waits_for_join_and_make_and_is_not_told_to_sign_in_again(backend: Backend) -> None:
    mike = backend.sign_in("mike")
    backend.join_and_make_is_down()
    with pytest.raises(Retryable) as raised:
        backend.authorize(mike["token"])
    assert raised.value.code == "JoinmakeUnavailable"
    assert adapters().players.get(mike["player_id"]) is None
    backend.join_and_make_is_back()
    assert backend.authorize(mike["token"])["principalId"] == mike["player_id"]


def test_a_token_of_yesterday_is_refused(backend: Backend) -> None:
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        backend.authorize(backend.sign_in("mike", expires_in=-1)["token"])


@pytest.mark.parametrize("sent", BAD_TOKENS.values(), ids=BAD_TOKENS)
def test_a_bad_token_is_unauthorized_and_nothing_else(
    sent: Any, monkeypatch: pytest.MonkeyPatch, log: Log
) -> None:
    checker = Web3AuthVerifier(ISSUERS, CLIENT_ID, lambda: NOW, JwksHost().fetch)
    monkeypatch.setattr(Adapters, "web3auth_verifier", checker)
    header = f"Bearer {sent}" if isinstance(sent, str) else sent
    with pytest.raises(Exception, match=r"^Unauthorized$") as raised:
        app.lambda_handler(EVENT | {"authorizationToken": header}, invocation())
    assert raised.value.__suppress_context__
    [told] = log.told
    assert "InvalidToken" in told


def test_the_log_holds_no_token_no_address_and_no_name(backend: Backend, log: Log) -> None:
    mike = backend.sign_in("Mike Nyanko")
    backend.authorize(mike["token"])
    expired = backend.sign_in("Mike Nyanko", expires_in=-1)["token"]
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        backend.authorize(expired)
    assert len(log.told) == 2
    for private in ("Mike", "example.com", *mike["token"].split("."), *expired.split(".")):
        assert private not in "".join(log.told)


def test_a_refused_token_does_not_wait_for_boto3_or_urllib3() -> None:
    program = """
import sys
from types import SimpleNamespace
from functions.authorizer.app import lambda_handler
try:
    context = SimpleNamespace(aws_request_id="1")
    lambda_handler({"authorizationToken": "Bearer a.b.c", "methodArn": "x"}, context)
except Exception as error:
    print(error, *(name in sys.modules for name in ("boto3", "urllib3", "jose")))
"""
    environment = {
        "WEB3AUTH_CLIENT_ID": CLIENT_ID,
        "WEB3AUTH_ISSUERS": ISSUERS,
        "POWERTOOLS_LOG_LEVEL": "ERROR",
    }
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["Unauthorized", "False", "False", "True"]
