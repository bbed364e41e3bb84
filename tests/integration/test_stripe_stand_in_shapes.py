"""Every object of the Stripe stand-in, in every state, has the shape that the SDK's annotations give it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.integration.stripe_shapes import RESOURCES, faults
from tests.integration.stripe_shop import (
    API_VERSION,
    DECLINED_CARD,
    PATIENCE_SECONDS,
    THREE_D_SECURE_CARD,
    Shop,
)

LISTED = {
    "charge": "/v1/charges",
    "checkout.session": "/v1/checkout/sessions",
    "dispute": "/v1/disputes",
    "event": "/v1/events",
    "payment_intent": "/v1/payment_intents",
    "refund": "/v1/refunds",
    "webhook_endpoint": "/v1/webhook_endpoints",
}


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """A shop in which everything has happened once, in an account whose default version is the SDK's."""
    with Shop(account_version=API_VERSION) as shop:
        shop.subscribe()
        shop.sell()
        shop.stripe.v1.checkout.sessions.expire(shop.sell().id)
        shop.pay(shop.sell(), DECLINED_CARD)
        shop.pay(shop.sell(), THREE_D_SECURE_CARD)
        authenticated = shop.pay(shop.sell(), THREE_D_SECURE_CARD).headers["Location"]
        shop.post(authenticated, {"result": "complete"})
        for action in ("win", "lose", "prevent"):
            shop.pay(shop.sell(), "4000000000000259")
            shop.act("POST", f"/dashboard/disputes/{newest(shop, 'dispute')['id']}/{action}")
        shop.pay(shop.sell(), "4000000000001976")
        shop.act("POST", f"/dashboard/disputes/{newest(shop, 'dispute')['id']}/close")
        for ends in (("win", "appeal"), ("lose", "appeal", "submit"), ("submit",)):
            shop.pay(shop.sell(), "4000000000000259")
            for action in ends:
                shop.act("POST", f"/dashboard/disputes/{newest(shop, 'dispute')['id']}/{action}")
        for card in ("4000000000007726", "4000000000005126"):
            shop.pay(shop.sell(), card)
            shop.act("POST", f"/dashboard/charges/{newest(shop, 'charge')['id']}/refunds", {"amount": 10})
        for action in ("expire", "pay"):
            konbini = {"payment_method": "konbini", "email": "tama@nyanko.example", "name": "たま"}
            url = shop.sell(payment_method_options={"konbini": {"expires_after_days": 5}}).url
            assert url is not None
            shop.post(url, konbini)
            shop.post(f"/c/voucher/{newest(shop, 'payment_intent')['id']}/{action}")
        shop.act("POST", f"/dashboard/charges/{newest(shop, 'charge')['id']}/refunds")
        shop.clock.ahead = 10
        yield shop


def fetch(shop: Shop, path: str, **params: str) -> Any:
    answer = requests.get(
        shop.stand_in.url + path,
        params=params,
        headers={"Authorization": "Bearer sk_test_nyanko"},
        timeout=PATIENCE_SECONDS,
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def every(shop: Shop, noun: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = fetch(shop, LISTED[noun], limit="100")["data"]
    return found


def newest(shop: Shop, noun: str) -> dict[str, Any]:
    return every(shop, noun)[0]


@pytest.mark.parametrize("noun", LISTED)
def test_every_object_has_the_shape_of_the_sdk(shop: Shop, noun: str) -> None:
    found = every(shop, noun)
    assert found
    assert [fault for one in found for fault in faults(one)] == []


def test_every_event_pictures_an_object_of_that_shape(shop: Shop) -> None:
    pictures = [event["data"]["object"] for event in every(shop, "event")]
    assert {picture["object"] for picture in pictures} >= {"charge", "dispute", "refund", "payment_intent"}
    assert [fault for picture in pictures for fault in faults(picture)] == []


def test_a_delivered_event_has_that_shape_too(shop: Shop) -> None:
    assert [fault for one in shop.webhook.wait_for(bool) for fault in faults(json.loads(one.body))] == []


def test_line_items_and_what_they_refer_to_have_that_shape(shop: Shop) -> None:
    path = f"/v1/checkout/sessions/{newest(shop, 'checkout.session')['id']}/line_items"
    lines = fetch(shop, path, **{"expand[]": "data.price.product"})["data"]
    assert lines[0]["price"]["product"]["object"] == "product"
    assert [fault for line in lines for fault in faults(line)] == []


def test_a_balance_transaction_has_that_shape(shop: Shop) -> None:
    key = next(charge["balance_transaction"] for charge in every(shop, "charge") if charge["paid"])
    assert faults(fetch(shop, f"/v1/balance_transactions/{key}")) == []


def test_all_states_were_seen(shop: Shop) -> None:
    def states(noun: str, name: str) -> set[str]:
        return {one[name] for one in every(shop, noun)}

    assert states("checkout.session", "status") == {"open", "complete", "expired"}
    assert states("checkout.session", "payment_status") == {"paid", "unpaid"}
    assert states("dispute", "status") == {
        "appeal_needs_response",
        "appeal_under_review",
        "lost",
        "prevented",
        "under_review",
        "warning_closed",
        "won",
    }
    assert states("refund", "status") == {"succeeded", "failed", "requires_action"}
    assert states("payment_intent", "status") == {"requires_payment_method", "requires_action", "succeeded"}
    assert states("charge", "status") == {"succeeded", "failed"}


@pytest.mark.parametrize(
    ("noun", "change", "fault"),
    [
        ("charge", {"paid": None}, "charge.paid: None is not of type bool"),
        ("charge", {"amount": True}, "charge.amount: True is not of type int"),
        ("charge", {"colour": "red"}, "charge.colour is unknown"),
        ("payment_intent", {"object": "payment"}, "payment: {"),
        ("checkout.session", {"automatic_tax": {}}, "checkout.session.automatic_tax.enabled is missing"),
        ("event", {"type": "charge.vanished"}, "event.type: 'charge.vanished' is none of the allowed values"),
    ],
)
def test_the_comparison_finds_faults(shop: Shop, noun: str, change: dict[str, Any], fault: str) -> None:
    assert noun in RESOURCES
    found = faults({**newest(shop, noun), **change})
    assert [text for text in found if text.startswith(fault)]
