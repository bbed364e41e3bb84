"""What a checkout makes of a request: the purchase that is written before Stripe hears of it."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nyanko.catalog import Product, check_quantity
from nyanko.errors import BadInput
from nyanko.purchases import Purchase

LATEST_OPENING_SECONDS = 1500
"""A session that opens by then has 35 minutes left, five more than Stripe asks for at least."""

MAX_KEY_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Order:
    """What the player asks for. There is no amount in it: the catalog alone has prices."""

    product_id: str
    quantity: int


def read_order(body: Any) -> Order:  # noqa: ANN401 whatever JSON the client sent
    """Raises `BadInput` for anything but `{"product_id": text, "quantity": integer}`."""
    if not isinstance(body, Mapping):
        raise BadInput("InvalidRequest", 'send a JSON object like {"product_id": "…", "quantity": 1}')
    if unknown := sorted(set(body) - {"product_id", "quantity"}):
        raise BadInput("InvalidRequest", f"unknown fields: {', '.join(unknown)}; prices come from us")
    product_id = body.get("product_id")
    if not isinstance(product_id, str) or not product_id:
        raise BadInput("InvalidRequest", "product_id must be a string that is not empty")
    return Order(product_id, check_quantity(body.get("quantity", 1)))


def purchase_id_for(player_id: str, idempotency_key: str | None) -> str:
    """The id of the purchase that this request makes; the same key of the same player makes the same one.

    The key needs no store of its own: the purchase row is it, and the id is Stripe's idempotency key too.
    """
    if idempotency_key is None:
        return f"pur_{secrets.token_hex(16)}"
    if not 1 <= len(idempotency_key) <= MAX_KEY_LENGTH:
        raise BadInput("InvalidRequest", f"Idempotency-Key must have 1 to {MAX_KEY_LENGTH} characters")
    digest = hashlib.sha256(f"{player_id}\n{idempotency_key}".encode(errors="replace")).hexdigest()
    return f"pur_{digest[:32]}"


def new_purchase(purchase_id: str, player_id: str, product: Product, quantity: int, now: int) -> Purchase:
    return Purchase(
        purchase_id=purchase_id,
        player_id=player_id,
        product=product,
        quantity=quantity,
        created_at=now,
        updated_at=now,
    )


def check_same_order(purchase: Purchase, order: Order, now: int) -> None:
    """Raise `BadInput` unless the purchase that stands under the request's key can serve this order."""
    if (purchase.product.product_id, purchase.quantity) != (order.product_id, order.quantity):
        raise BadInput(
            "IdempotencyMismatch",
            f"this Idempotency-Key ordered {purchase.quantity} of {purchase.product.product_id}; "
            "use a new key for another order",
        )
    if purchase.session_id is None and now > purchase.created_at + LATEST_OPENING_SECONDS:
        raise BadInput("CheckoutExpired", "this order was never opened; use a new Idempotency-Key")
