"""A first call of every function, in a process of its own, and what AWS and Stripe answer to it.

The calls are the samples of `events/`, made fresh where only a fresh one is accepted. All of them succeed:
the purchase is known and not paid yet, the player is known and does not listen, Stripe has nothing on record.
"""

import json
import ssl
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from local.event import EVENTS, request
from nyanko.adapters.dynamodb import to_item
from nyanko.checkout import new_purchase
from tests import template
from tests.data import SAMPLES, STARTER_PACK
from tests.served import listening
from tests.stripe_events import NOW, SECRET
from tests.web3auth_tokens import APP_KEY, CLAIMS, CLIENT_ID, KEY, SOCIAL, token
from tests.workflow.lambda_runtime import SSM_PARAMETERS
from tests.workflow.stripe_api import created_session

PURCHASE = new_purchase(
    SAMPLES["record_payment"]["purchase_id"],
    SAMPLES["grant_items"]["purchase"]["player_id"],
    STARTER_PACK,
    3,
    NOW,
)
PLAYER = {"subject": APP_KEY, "joinmake_user_id": "jm_mike", "birth_month": "1990-01", "profile_read_at": NOW}
ISSUER = {
    "issuer": SOCIAL,
    "pem": KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
}
ROWS = {
    (STARTER_PACK.product_id,): STARTER_PACK.to_dict(),
    (PURCHASE.purchase_id,): PURCHASE.to_dict(),
    (APP_KEY,): PLAYER,
}
"""What GetItem finds, by key."""

PROGRAM = """
import json, sys
from importlib import import_module

class Context:
    aws_request_id = "first"

    def get_remaining_time_in_millis(self):
        return 900_000

import_module(sys.argv[1]).lambda_handler(json.load(sys.stdin), Context())
"""
"""Takes the name of a function's module, and the event."""

ANSWERS: Mapping[str, Mapping[str, Any]] = {
    "BatchGetItem": {"Responses": {}, "UnprocessedKeys": {}},
    "DeleteItem": {"Attributes": to_item({"player_id": PURCHASE.player_id})},
    "GetSecretValue": {"SecretString": SECRET},
    "Query": {"Items": [], "Count": 0},
    "SendMessage": {"MessageId": "059f36b4-87a3-44ab-83d2-661975830a7d"},
    "StartExecution": {"executionArn": "arn:aws:states:::execution:payment:evt", "startDate": NOW},
}
"""By AWS's operation; the others answer with nothing."""


def event(folder: str) -> Any:
    """What the function under `functions/<folder>` is called with."""
    match folder:
        case "stripe_webhook":
            return request(json.loads(EVENTS["paid_by_card"].read_text()), SECRET, int(time.time()))
        case "authorizer":
            issued = int(time.time())
            fresh = token(claims={**CLAIMS, "iat": issued, "exp": issued + 3600})
            return {**SAMPLES[folder], "authorizationToken": f"Bearer {fresh}"}
    return SAMPLES[folder]


def environment(folder: str, aws: str, stripe: str) -> dict[str, str]:
    """What it finds in its environment, with AWS and Stripe at these URLs."""
    told = {
        **SSM_PARAMETERS,
        "stripe_api_url": stripe,
        "web3auth_client_id": CLIENT_ID,
        "web3auth_issuers": json.dumps([ISSUER]),
    }
    prefix = f"{{{{resolve:ssm:/{template.STAGE}/jm_nyanko/"
    given = {
        name: told[value.removeprefix(prefix).removesuffix("}}")] if value.startswith(prefix) else value
        for name, value in template.functions()[folder].environment.items()
    }
    queues = {name: f"{aws}/{name}" for name in given if name.startswith("PAYMENT_EVENTS")}
    lambdas = {"AWS_ACCESS_KEY_ID": "first", "AWS_SECRET_ACCESS_KEY": "call", "AWS_ENDPOINT_URL": aws}
    regions = dict.fromkeys(("AWS_REGION", "AWS_DEFAULT_REGION"), template.REGION)
    own = {name: aws for name in given if name.startswith("AWS_ENDPOINT_URL_")}
    return {**given, **queues, **lambdas, **regions, **own}


def aws_answer(operation: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
    """The JSON that AWS answers an operation with."""
    if operation == "GetItem":
        row = ROWS.get(tuple(part["S"] for part in asked["Key"].values()))
        return {"Item": to_item(row)} if row else {}
    return ANSWERS.get(operation, {})


def edge(tls: ssl.SSLContext | None = None) -> AbstractContextManager[str]:
    """Serve AWS, and a Stripe that has nothing on record, on a free port of 127.0.0.1; gives the URL."""
    return listening(_Edge, tls)


class _Edge(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._send({"object": "list", "data": [], "has_more": False, "url": self.path})

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        target = self.headers.get("X-Amz-Target")
        if target:
            self._send(aws_answer(target.rpartition(".")[2], json.loads(asked)))
        else:
            self._send(created_session(PURCHASE.purchase_id) if self.path == "/v1/checkout/sessions" else {})

    def _send(self, answer: Mapping[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 its name there
        """What is asked for is nobody's business."""
