"""`make demo`: one purchase against a fresh stack, step by step, and then its event three more times."""

import json
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import requests

from local.names import STRIPE_API_KEY
from local.process import StartError
from local.stack import Ports, Stack
from local.websocket import WebSocket

PLAYER, PRODUCT_ID, QUANTITY, RESENDS = "mike", "neko_starter_pack", 2, 3
CARD = {"card_number": "4242 4242 4242 4242", "expiry": "12/34", "cvc": "123"}
PATIENCE_SECONDS = 30
Seen = TypeVar("Seen")


class OffScript(Exception):
    """Something went otherwise than it must; the message says what was seen."""


def main() -> None:
    logging.basicConfig(format="%(message)s")
    try:
        with (
            tempfile.TemporaryDirectory(prefix="nyanko-demo-") as directory,
            requests.Session() as http,
        ):
            http.trust_env = False  # no proxy between programs of one machine
            clock = time.monotonic()
            with Stack(Ports.free(), Path(directory)) as stack:
                print(f"{time.monotonic() - clock:6.2f} s  the stack is up")
                play(stack, http)
    except (StartError, OffScript) as error:
        sys.exit(f"off: {error}")


def play(stack: Stack, http: requests.Session) -> None:
    """Buy once and have the event sent again; raises `OffScript` when anything is not as it must be."""
    started = time.monotonic()

    def tell(what: str) -> None:
        print(f"{time.monotonic() - started:6.2f} s  {what}")

    signed_in = send(http, "POST", f"{stack.web3auth}/token", 200, json={"name": PLAYER})
    game = {"Authorization": f"Bearer {signed_in['token']}"}
    tell(f"{PLAYER} signed in as player {signed_in['player_id'][:12]}…")

    products = send(http, "GET", f"{stack.api}/products", 200)["products"]
    product = {one["product_id"]: one for one in products}[PRODUCT_ID]
    tell(f"{len(products)} products are on sale; the choice: {QUANTITY} × {product['name']}")

    def inventory() -> dict[str, int]:
        items = send(http, "GET", f"{stack.api}/inventory", 200, headers=game)["items"]
        return {item["item_id"]: item["quantity"] for item in items}

    before = inventory()
    tell(f"inventory before: {shown(before)}")

    with listening(stack, http, game) as live:
        tell(f"the game listens at {stack.ws}")

        order = {"product_id": PRODUCT_ID, "quantity": QUANTITY}
        purchase = send(http, "POST", f"{stack.api}/checkout", 201, headers=game, json=order)
        tell(f"checkout {purchase['purchase_id']}: {purchase['amount']} yen at {purchase['url']}")

        paid = http.post(purchase["url"], data=CARD, allow_redirects=False)
        require(paid.status_code == 303, f"paying was answered with {paid.status_code}")
        tell("paid by card on the hosted page")

        event = completed(stack, http, purchase["purchase_id"])
        tell(f"Stripe sends {event} ({stack.api}/stripe/webhook)")

        url = f"{stack.api}/purchases/{purchase['purchase_id']}"
        granted = eventually(
            lambda: send(http, "GET", url, 200, headers=game)["status"], lambda status: status == "granted"
        )
        tell(f"the purchase is {granted}")

        notice = json.loads(live.receive())
        require(notice["purchase_id"] == purchase["purchase_id"], f"the game was told {notice}")
        tell(f"pushed into the game: {notice['status']}, {shown(notice['items'])}")

    [execution] = executions(stack, event)
    path = eventually(lambda: states(stack, execution), lambda passed: passed[-1] == "ExecutionSucceeded")
    tell(f"execution {event}: {' → '.join(path)}")

    due = {item: count * QUANTITY for item, count in product["items"].items()}
    after = inventory()
    expected = {item: before.get(item, 0) + due.get(item, 0) for item in before | due}
    require(after == expected, f"the inventory holds {shown(after)}, not {shown(expected)}")
    tell(f"inventory after:  {shown(after)}")

    for _ in range(RESENDS):
        send(http, "POST", f"{stack.stripe}/dashboard/events/{event}/resend", 200)
    eventually(lambda: duplicates(stack, event), lambda count: count == RESENDS)
    tell(f"the same event came {RESENDS} more times and was called a duplicate each time")

    require(executions(stack, event) == [execution], "a duplicate started another execution")
    again = inventory()
    require(again == after, f"the inventory changed to {shown(again)}")
    tell(f"inventory still:  {shown(again)}")


def send(http: requests.Session, method: str, url: str, status: int, **options: Any) -> Any:  # noqa: ANN401 JSON
    options["headers"] = {"Accept": "application/json", **options.get("headers", {})}
    answer = http.request(method, url, timeout=PATIENCE_SECONDS, **options)
    require(answer.status_code == status, f"{method} {url} was answered {answer.status_code}: {answer.text}")
    return answer.json()


def listening(stack: Stack, http: requests.Session, game: Mapping[str, str]) -> WebSocket:
    """The game's WebSocket, over which it is told what happens from now on."""
    ticket = send(http, "POST", f"{stack.api}/realtime/ticket", 201, headers=game)
    live = WebSocket(f"{ticket['url']}?ticket={ticket['ticket']}", origin=stack.frontend_origin)
    live.send('{"type": "hello"}')
    welcome = json.loads(live.receive())
    require(welcome["type"] == "welcome", f"the game was told {welcome}")
    return live


def completed(stack: Stack, http: requests.Session, purchase_id: str) -> str:
    """The id of the event that says the Checkout Session of this purchase is completed."""
    headers = {"Authorization": f"Bearer {STRIPE_API_KEY}"}
    url = f"{stack.stripe}/v1/events?type=checkout.session.completed"
    events = send(http, "GET", url, 200, headers=headers)["data"]
    [event] = [one for one in events if one["data"]["object"]["metadata"]["purchase_id"] == purchase_id]
    return str(event["id"])


def executions(stack: Stack, event_id: str) -> list[str]:
    """The ARNs of the event's executions, replays included."""
    listed = stepfunctions(stack).list_executions(stateMachineArn=stack.outputs["PaymentStateMachineArn"])
    return [one["executionArn"] for one in listed["executions"] if one["name"].startswith(event_id)]


def states(stack: Stack, execution: str) -> list[str]:
    """The states that an execution entered, and last what happened last."""
    events = stepfunctions(stack).get_execution_history(executionArn=execution)["events"]
    entered = [
        event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event
    ]
    return [*entered, events[-1]["type"]]


def stepfunctions(stack: Stack) -> Any:  # noqa: ANN401 a boto3 client
    from local import aws

    return aws.client("stepfunctions", stack.stepfunctions)


def duplicates(stack: Stack, event_id: str) -> int:
    """How often start_payment found that the event had its execution."""
    lines = (stack.directory / "logs" / "functions.log").read_text().splitlines()
    logged = [json.loads(line) for line in lines if line.startswith("{")]
    return sum(line.get("message") == "duplicate" and line.get("event_id") == event_id for line in logged)


def eventually(look: Callable[[], Seen], until: Callable[[Seen], bool]) -> Seen:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not until(seen := look()):
        require(time.monotonic() < deadline, f"after {PATIENCE_SECONDS} s there is still {seen}")
        time.sleep(0.05)
    return seen


def require(condition: bool, otherwise: str) -> None:  # noqa: FBT001 an assertion, but one for users
    if not condition:
        raise OffScript(otherwise)


def shown(items: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {item}" for item, count in sorted(items.items())) or "nothing"


if __name__ == "__main__":
    main()
