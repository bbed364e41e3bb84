"""The game's, the buyer's and the operator's hands on a running local stack, over HTTP."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

import urllib3

from local import aws
from local.stack import Stack
from nyanko.adapters.dynamodb import from_item, to_item
from nyanko.stripe_events import API_VERSION

GOOD_CARD = "4242424242424242"
DECLINED_CARD = "4000000000000002"
PATIENCE_SECONDS = 60
T = TypeVar("T")


def eventually(look: Callable[[], T], until: Callable[[T], bool]) -> T:
    """What `look` sees once `until` holds; the last sight if it never does."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        seen = look()
        if until(seen) or time.monotonic() > deadline:
            return seen
        time.sleep(0.05)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Any
    headers: urllib3.HTTPHeaderDict


class Shop:
    """Everybody who touches the stack from outside."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._http = urllib3.PoolManager(maxsize=16, retries=False, timeout=120)

    def close(self) -> None:
        self._http.clear()

    def request(
        self, method: str, url: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        answered = self._http.request(method, url, body=body, headers=headers, redirect=False)
        text = answered.data.decode()
        is_json = "json" in answered.headers.get("Content-Type", "")
        return Answer(answered.status, json.loads(text) if is_json else text, answered.headers)

    # The buyer, on Stripe's page

    def form(self, url: str, **fields: str) -> Answer:
        body = urlencode(fields).encode()
        return self.request("POST", url, body, {"Content-Type": "application/x-www-form-urlencoded"})

    def pay(self, url: str, card: str = GOOD_CARD) -> Answer:
        return self.form(url, card_number=card, expiry="12/34", cvc="123")

    def choose_konbini(self, url: str) -> Answer:
        return self.form(url, payment_method="konbini", email="mike@nyanko.example", name="三毛 猫子")

    def payment_intent(self, session_id: str) -> str:
        return str(self.stripe(f"/v1/checkout/sessions/{session_id}")["payment_intent"])

    def pay_voucher(self, session_id: str) -> Answer:
        return self.form(f"{self.stack.stripe}/c/voucher/{self.payment_intent(session_id)}/pay")

    def let_voucher_expire(self, session_id: str) -> Answer:
        return self.form(f"{self.stack.stripe}/c/voucher/{self.payment_intent(session_id)}/expire")

    # The shopkeeper, in Stripe's Dashboard

    def charge(self, session_id: str) -> str:
        return str(self.stripe(f"/v1/payment_intents/{self.payment_intent(session_id)}")["latest_charge"])

    def dashboard(self, path: str, **fields: Any) -> dict[str, Any]:
        """Press a button and return what came of it."""
        answered = self.request(
            "POST",
            f"{self.stack.stripe}/dashboard/{path}",
            json.dumps(fields).encode(),
            {"Content-Type": "application/json", "Accept": "application/json"},
        )
        assert answered.status == 200, answered.body
        outcome: dict[str, Any] = answered.body
        return outcome

    def chaos(self, **wanted: Any) -> None:
        """Let the next deliveries go wrong; none of them if nothing is named."""
        url, headers = f"{self.stack.stripe}/dashboard/chaos", {"Content-Type": "application/json"}
        answered = self.request("PUT", url, json.dumps(wanted).encode(), headers)
        assert answered.status == 200, answered.body

    def stripe(self, path: str) -> dict[str, Any]:
        answered = self.request(
            "GET", self.stack.stripe + path, None, {"Authorization": "Bearer sk_test_local"}
        )
        assert answered.status == 200, answered.body
        found: dict[str, Any] = answered.body
        return found

    # Stripe, or whoever pretends to be

    def sign(self, body: bytes) -> str:
        at = int(time.time())
        secret = self.stack.webhook_secret.encode()
        return f"t={at},v1={hmac.new(secret, b'%d.' % at + body, hashlib.sha256).hexdigest()}"

    def deliver(self, body: bytes, signature: str | None = None) -> Answer:
        headers = {"Content-Type": "application/json", "Stripe-Signature": signature or self.sign(body)}
        return self.request("POST", f"{self.stack.api}/stripe/webhook", body, headers)

    def events_of(self, purchase_id: str, event_type: str) -> list[dict[str, Any]]:
        """The stand-in's events of one type whose object names the purchase."""
        found: Iterable[dict[str, Any]] = self.stripe(f"/v1/events?limit=100&type={event_type}")["data"]
        return [
            one
            for one in found
            if one["data"]["object"].get("metadata", {}).get("purchase_id") == purchase_id
        ]

    # The operator, in AWS

    def client(self, service: str) -> Any:
        url = self.stack.stepfunctions if service == "stepfunctions" else self.stack.aws
        return aws.client(service, url)

    def event_row(self, event_id: str) -> dict[str, Any]:
        found = self.client("dynamodb").get_item(
            TableName="local_jm_nyanko_events", Key=to_item({"event_id": event_id}), ConsistentRead=True
        )
        return from_item(found["Item"]) if "Item" in found else {}

    def event_state(self, event_id: str) -> str:
        """The state of an event once it is no longer on its way."""
        row = eventually(
            lambda: self.event_row(event_id), lambda row: row.get("state") in {"applied", "ignored", "parked"}
        )
        return str(row.get("state"))

    def ledger(self, player_id: str) -> list[dict[str, Any]]:
        found = self.client("dynamodb").query(
            TableName="local_jm_nyanko_ledger",
            KeyConditionExpression="player_id = :player_id",
            ExpressionAttributeValues=to_item({":player_id": player_id}),
            ConsistentRead=True,
        )
        return [from_item(item) for item in found["Items"]]

    def executions(self, event_id: str) -> list[dict[str, Any]]:
        """The executions of an event and of its replays."""
        listed = self.client("stepfunctions").list_executions(
            stateMachineArn=self.stack.outputs["PaymentStateMachineArn"], maxResults=1000
        )
        return [one for one in listed["executions"] if one["name"].split("-r")[0] == event_id]

    def states_passed(self, execution_arn: str) -> list[str]:
        history = self.client("stepfunctions").get_execution_history(
            executionArn=execution_arn, maxResults=1000
        )
        return [
            one["stateEnteredEventDetails"]["name"]
            for one in history["events"]
            if "stateEnteredEventDetails" in one
        ]

    def dead_letters(self) -> list[dict[str, Any]]:
        """What lies in the DLQ; it stays there."""
        sqs = self.client("sqs")
        found: list[dict[str, Any]] = []
        while batch := sqs.receive_message(
            QueueUrl=self.stack.outputs["PaymentEventsDlqUrl"], MaxNumberOfMessages=10, VisibilityTimeout=2
        ).get("Messages"):
            found += [json.loads(message["Body"]) for message in batch]
        return found


class Player:
    """A signed-in player's game client."""

    def __init__(self, shop: Shop, name: str) -> None:
        self._shop = shop
        signed_in = shop.request(
            "POST",
            f"{shop.stack.web3auth}/token",
            json.dumps({"name": name}).encode(),
            {"Content-Type": "application/json"},
        )
        self.player_id: str = signed_in.body["player_id"]
        self.token: str = signed_in.body["token"]
        self._headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
        }

    def get(self, path: str) -> Answer:
        return self._shop.request("GET", self._shop.stack.api + path, None, self._headers)

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._shop.request(
            "POST", self._shop.stack.api + path, json.dumps(body).encode(), {**self._headers, **named}
        )

    def order(self, product_id: str = "neko_starter_pack", quantity: int = 1) -> dict[str, Any]:
        answered = self.post("/checkout", {"product_id": product_id, "quantity": quantity})
        assert answered.status == 201, answered.body
        opened: dict[str, Any] = answered.body
        return opened

    def status(self, purchase_id: str) -> str:
        return str(self.get(f"/purchases/{purchase_id}").body["status"])

    def status_becomes(self, purchase_id: str, status: str) -> bool:
        return eventually(lambda: self.status(purchase_id), lambda seen: seen == status) == status

    def items(self) -> dict[str, int]:
        return {
            item["item_id"]: item["quantity"] - item["owed"] for item in self.get("/inventory").body["items"]
        }


@contextmanager
def broken(shop: Shop, function: str) -> Iterator[None]:
    """The function looks for its tables in a stage that does not exist."""
    client, name = shop.client("lambda"), f"local_jm_nyanko_{function}"
    variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    client.update_function_configuration(
        FunctionName=name, Environment={"Variables": {**variables, "STAGE": "broken"}}
    )
    try:
        yield
    finally:
        client.update_function_configuration(FunctionName=name, Environment={"Variables": variables})


def session_event(event_id: str, purchase: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """A `checkout.session.completed` for the purchase, as Stripe sends it; `changed` is of its session."""
    session = {
        "object": "checkout.session",
        "id": purchase["session_id"],
        "mode": "payment",
        "payment_status": "paid",
        "payment_intent": f"pi_{event_id}",
        "amount_total": purchase["amount"],
        "currency": purchase["currency"],
        "metadata": {"purchase_id": purchase["purchase_id"]},
    }
    return {
        "object": "event",
        "id": event_id,
        "type": "checkout.session.completed",
        "created": int(time.time()),
        "livemode": False,
        "api_version": API_VERSION,
        "data": {"object": {**session, **changed}},
    }
