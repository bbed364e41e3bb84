"""`make event TYPE=… PURCHASE=…`: an event of `events/payments/` as API Gateway hands it to the webhook now.

A stored signature is too old after five minutes, so this one is made anew, with the running stack's secret.
Sent twice, it is the same event twice.
"""

import argparse
import hashlib
import hmac
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local import aws
from local.names import PREFIX, ROOT
from local.process import StartError
from local.running import described, directory_option
from nyanko.adapters.dynamodb_purchases import Purchases
from nyanko.adapters.dynamodb_table import Table
from nyanko.errors import Retryable
from nyanko.purchases import Purchase

PAYMENTS = ROOT / "events" / "payments"
EVENTS = {path.stem: path for path in sorted(PAYMENTS.glob("*.json"))}
REQUEST = ROOT / "events" / "stripe_webhook.json"

SAMPLES_PURCHASE = "pur_5b0f6c1d9a7e4382b1c05d2e8f3a9641"
SAMPLES_SESSION = "cs_test_a1Mike00000000000000000000000000000000000000000000000001"
SAMPLES_TAIL = "Mike0000000000000001"
"""How ids of the samples' events, payments, refunds and disputes end."""

AMOUNTS = {"amount", "amount_subtotal", "amount_total"}


def main() -> None:
    options = argparse.ArgumentParser(
        prog="python -m local.event", description="Write a freshly signed event for the webhook."
    )
    directory_option(options)
    options.add_argument("type", choices=EVENTS)
    options.add_argument("purchase", help="the id of a purchase on the local stack")
    chosen = options.parse_args()
    try:
        stack = described(chosen.directory)
        purchase = _purchase(stack, chosen.purchase)
    except (StartError, Retryable) as error:
        sys.exit(str(error))
    now = int(time.time())
    event = about(purchase, EVENTS[chosen.type].read_text(), now)
    written: Path = chosen.directory / "event.json"
    written.write_text(json.dumps(request(event, stack["webhook_secret"], now), indent=2) + "\n")
    print(f"make sam-invoke FUNCTION=stripe_webhook EVENT={written}")


def _purchase(stack: Mapping[str, str], purchase_id: str) -> Purchase:
    dynamodb = aws.client("dynamodb", stack["aws"])
    found = Purchases(lambda noun: Table(lambda: dynamodb, f"{PREFIX}_{noun}")).get(purchase_id)
    if found is None:
        raise StartError(f"the local stack has no purchase {purchase_id}")
    return found


def about(purchase: Purchase, sample: str, now: int) -> dict[str, Any]:
    """The sample as if it had happened to this purchase, at `now` in epoch seconds UTC."""
    tail = purchase.purchase_id.removeprefix("pur_")
    sample = sample.replace(SAMPLES_PURCHASE, purchase.purchase_id)
    sample = sample.replace(SAMPLES_SESSION, purchase.session_id or SAMPLES_SESSION)
    event: dict[str, Any] = json.loads(sample.replace(SAMPLES_TAIL, tail))
    stripe_object = event["data"]["object"]
    if purchase.facts.payment_intent and stripe_object.get("payment_intent"):
        stripe_object["payment_intent"] = purchase.facts.payment_intent
    prices = {1500: purchase.amount, 500: purchase.product.unit_amount}
    stripe_object |= {
        key: prices.get(stripe_object[key], stripe_object[key]) for key in AMOUNTS & stripe_object.keys()
    }
    return {**event, "created": now}


def request(event: dict[str, Any], secret: str, now: int) -> dict[str, Any]:
    """What API Gateway calls the webhook with when Stripe delivers the event
    (https://docs.stripe.com/webhooks#verify-manually)."""
    body = json.dumps(event, ensure_ascii=False, indent=2)
    signed = hmac.new(secret.encode(), f"{now}.{body}".encode(), hashlib.sha256).hexdigest()
    signature = f"t={now},v1={signed}"
    called: dict[str, Any] = json.loads(REQUEST.read_text())
    called["headers"]["Stripe-Signature"] = signature
    called["multiValueHeaders"]["Stripe-Signature"] = [signature]
    return {**called, "body": body}


if __name__ == "__main__":
    main()
