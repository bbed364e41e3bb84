"""One event on its way from the webhook through queue and workflow."""

import json
from typing import TypedDict

MAX_BYTES = 240_000
"""Step Functions carries 256 KiB from state to state; the rest is for what the states add
(https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html)."""


class Delivery(TypedDict):
    """`body` is the signed text and `signature` its Stripe-Signature header, received at epoch seconds UTC.

    Both are "" for an event that is to be fetched from Stripe by its id: one too large to be carried, or one
    that reconciliation found.
    """

    event_id: str
    received_at: int
    body: str
    signature: str


def delivery(event_id: str, received_at: int, body: str, signature: str) -> Delivery:
    carried = Delivery(event_id=event_id, received_at=received_at, body=body, signature=signature)
    if len(json.dumps(carried)) <= MAX_BYTES:
        return carried
    return Delivery(event_id=event_id, received_at=received_at, body="", signature="")
