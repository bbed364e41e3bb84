"""Using items up."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nyanko.errors import BadInput

MAX_COUNT = 1_000_000
SPEND_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Spend:
    """`count` of an item, used up once under the `spend_id` that the client chose for it."""

    spend_id: str
    item_id: str
    count: int

    @property
    def line_id(self) -> str:
        return f"spend#{self.spend_id}"


def read_spend(item_id: str, body: Any) -> Spend:  # noqa: ANN401 whatever JSON the client sent
    """Raises `BadInput` for anything but `{"spend_id": text, "count": integer}`."""
    if not isinstance(body, Mapping):
        raise BadInput("InvalidRequest", 'send a JSON object like {"spend_id": "…", "count": 1}')
    if unknown := sorted(set(body) - {"spend_id", "count"}):
        raise BadInput("InvalidRequest", f"unknown fields: {', '.join(unknown)}")
    spend_id, count = body.get("spend_id"), body.get("count")
    if not isinstance(spend_id, str) or not SPEND_ID.fullmatch(spend_id):
        raise BadInput("InvalidRequest", "spend_id must be 1 to 64 letters, digits, _ or -")
    if type(count) is not int or not 1 <= count <= MAX_COUNT:
        raise BadInput("InvalidRequest", f"count must be an integer from 1 to {MAX_COUNT}")
    return Spend(spend_id, item_id, count)


def not_enough(spend: Spend, quantity: int) -> BadInput:
    """What a player is told who has `quantity` of the item; below zero it is owed."""
    return BadInput(
        "NotEnough",
        f"you have {max(quantity, 0)} of {spend.item_id}, not {spend.count}"
        + (f", and owe {-quantity}" if quantity < 0 else ""),
        quantity=max(quantity, 0),
        owed=max(-quantity, 0),
        shortfall=spend.count - quantity,
    )
