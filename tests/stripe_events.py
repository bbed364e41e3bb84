"""Stripe's events about a purchase, as a webhook delivers them: built, serialised and signed.

Shapes follow https://docs.stripe.com/api/events/object and the pages of the objects within, at `API_VERSION`.
Ids are named after the purchase: of `MIKES_PURCHASE` the session is `cs_test_mike`, the payment `pi_mike`.
Amounts are integers in the currency's minor unit, times are epoch seconds UTC.
"""

import hashlib
import hmac
import json
from typing import Any

from nyanko.deliveries import Delivery, new_delivery
from nyanko.purchases import Purchase
from nyanko.stripe_events import API_VERSION
from tests.data import MIKES_PURCHASE, name_in

Event = dict[str, Any]

NOW = 1_700_000_000
SECRET = "whsec_nyanko"
SESSION = {
    "object": "checkout.session",
    "id": "cs_test_mike",
    "mode": "payment",
    "payment_status": "paid",
    "payment_intent": "pi_mike",
    "amount_total": 1500,
    "currency": "jpy",
    "metadata": {"purchase_id": MIKES_PURCHASE},
}
"""As much of a paid session as is read."""


def event(event_type: str, stripe_object: dict[str, Any], **changed: Any) -> Event:
    """An event named by its type and object; a second one of both needs an `id` of its own."""
    return {
        "id": f"evt_{event_type.replace('.', '_')}_{stripe_object['id']}",
        "object": "event",
        "api_version": API_VERSION,
        "created": NOW,
        "data": {"object": stripe_object},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": event_type,
        **changed,
    }


def session_event(happened: str, purchase: Purchase, **changed: Any) -> Event:
    """`completed`, `expired`, `async_payment_succeeded` or `async_payment_failed`."""
    return event(f"checkout.session.{happened}", checkout_session(purchase, **changed))


def refund_event(happened: str, purchase: Purchase, **changed: Any) -> Event:
    """`created`, `updated` or `failed`."""
    return event(f"refund.{happened}", refund(purchase, **changed))


def charge_refunded(purchase: Purchase, amount_refunded: int) -> Event:
    """It knows the sum of the refunds alone; Stripe's API lists them."""
    return event(
        "charge.refunded",
        {
            "id": charge_id(purchase),
            "object": "charge",
            "amount": purchase.amount,
            "amount_refunded": amount_refunded,
            "currency": purchase.currency,
            "livemode": False,
            "metadata": {"purchase_id": purchase.purchase_id},
            "payment_intent": payment_intent_id(purchase),
            "refunded": amount_refunded == purchase.amount,
            "status": "succeeded",
        },
    )


def dispute_event(happened: str, purchase: Purchase, **changed: Any) -> Event:
    """`created`, `updated`, `closed`, `funds_withdrawn` or `funds_reinstated`."""
    return event(
        f"charge.dispute.{happened}",
        {
            "id": f"du_{_name(purchase)}",
            "object": "dispute",
            "amount": purchase.amount,
            "charge": charge_id(purchase),
            "created": NOW,
            "currency": purchase.currency,
            "livemode": False,
            "metadata": {},
            "payment_intent": payment_intent_id(purchase),
            "reason": "fraudulent",
            "status": "needs_response",
            **changed,
        },
    )


def checkout_session(purchase: Purchase, **changed: Any) -> dict[str, Any]:
    """A session that is paid by card, unless changed."""
    return {
        "id": f"cs_test_{_name(purchase)}",
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": False},
        "amount_subtotal": purchase.amount,
        "amount_total": purchase.amount,
        "client_reference_id": purchase.purchase_id,
        "created": purchase.created_at,
        "currency": purchase.currency,
        "customer_details": {"email": "mike@nyanko.example", "name": "三毛 猫子"},
        "expires_at": purchase.expires_at,
        "livemode": False,
        "locale": "ja",
        "metadata": {"purchase_id": purchase.purchase_id},
        "mode": "payment",
        "payment_intent": payment_intent_id(purchase),
        "payment_method_types": ["card"],
        "payment_status": "paid",
        "status": "complete",
        "ui_mode": "hosted_page",
        "url": None,
        **changed,
    }


def refund(purchase: Purchase, **changed: Any) -> dict[str, Any]:
    """A refund of the whole amount that succeeded, unless changed."""
    return {
        "id": f"re_{_name(purchase)}",
        "object": "refund",
        "amount": purchase.amount,
        "charge": charge_id(purchase),
        "created": NOW,
        "currency": purchase.currency,
        "metadata": {},
        "payment_intent": payment_intent_id(purchase),
        "reason": "requested_by_customer",
        "status": "succeeded",
        **changed,
    }


def body(event_type: str, stripe_object: dict[str, Any], **changed: Any) -> bytes:
    """An event as Stripe sends it, about any object, and with anything in its envelope changed."""
    envelope = {
        "object": "event",
        "id": "evt_mike",
        "type": event_type,
        "created": 1_700_000_000,
        "livemode": False,
        "api_version": API_VERSION,
        "data": {"object": stripe_object},
    }
    return json.dumps({**envelope, **changed}).encode()


def payment_intent_id(purchase: Purchase) -> str:
    return f"pi_{_name(purchase)}"


def charge_id(purchase: Purchase) -> str:
    return f"ch_{_name(purchase)}"


def signature(body: bytes, secret: str = SECRET, at: int = NOW) -> str:
    """The Stripe-Signature header of a body (https://docs.stripe.com/webhooks#verify-manually)."""
    return f"t={at},v1={hmac.new(secret.encode(), b'%d.' % at + body, hashlib.sha256).hexdigest()}"


def signed(stripe_event: Event, secret: str = SECRET, at: int = NOW) -> Delivery:
    """The event as the webhook puts it into the queue, signed and received at that moment."""
    body = json.dumps(stripe_event, indent=2, ensure_ascii=False)
    return new_delivery(stripe_event["id"], at, body, signature(body.encode(), secret, at))


def _name(purchase: Purchase) -> str:
    return name_in(purchase.purchase_id)
