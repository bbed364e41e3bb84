"""The stand-in's API versions: which one an answer has, and how old and new ones differ."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import stripe

from local.stripe.versions import CHANGES
from tests.integration.stripe_shapes import faults
from tests.integration.stripe_shop import API_VERSION, PATIENCE_SECONDS, Shop

OLD = "2020-08-27"
MIDDLE = "2025-03-31.basil"
VERSIONS = (OLD, MIDDLE, API_VERSION)
DISPUTED_CARD = "4000 0000 0000 0259"


@pytest.fixture
def shop() -> Iterator[Shop]:
    """An account whose default is an old version, and a shop that asks for the newest."""
    with Shop(account_version=OLD) as shop:
        yield shop


def raw(shop: Shop, path: str, version: str | None = None, **params: str) -> requests.Response:
    """What a client gets that names no version, or this one."""
    headers = {"Authorization": "Bearer sk_test_nyanko"} | ({"Stripe-Version": version} if version else {})
    url = shop.stand_in.url + path
    return requests.get(url, params=params, headers=headers, timeout=PATIENCE_SECONDS)


def sell_and_refund(shop: Shop) -> stripe.Refund:
    session = shop.sell_and_pay()
    return shop.stripe.v1.refunds.create({"payment_intent": str(session.payment_intent), "amount": 300})


@pytest.mark.parametrize("asked", [None, *VERSIONS])
def test_events_of_the_api_have_the_accounts_version_whatever_is_asked(shop: Shop, asked: str | None) -> None:
    sell_and_refund(shop)
    answer = raw(shop, "/v1/events", asked, type="charge.refunded")
    # No object of Stripe's API names the default; https://docs.stripe.com/api/versioning has the header.
    assert answer.headers["Stripe-Version"] == (asked or OLD)
    listed = answer.json()["data"][0]
    alone = raw(shop, f"/v1/events/{listed['id']}", asked).json()
    assert listed == alone
    assert alone["api_version"] == OLD
    assert [one["amount"] for one in alone["data"]["object"]["refunds"]["data"]] == [300]


def test_each_endpoint_gets_an_event_in_its_own_version_or_the_accounts(shop: Shop) -> None:
    """Stripe's own way to upgrade: https://docs.stripe.com/webhooks/versioning."""
    for version in (None, MIDDLE, API_VERSION):
        endpoint: Any = {"url": shop.webhook.url, "enabled_events": ["checkout.session.completed"]}
        shop.stripe.v1.webhook_endpoints.create(endpoint | ({"api_version": version} if version else {}))
    shop.sell_and_pay()
    events = [json.loads(arrival.body) for arrival in shop.webhook.wait_for(lambda seen: len(seen) == 3)]
    assert len({event["id"] for event in events}) == 1
    sessions = {event["api_version"]: event["data"]["object"] for event in events}
    assert {version: session["ui_mode"] for version, session in sessions.items()} == {
        OLD: "hosted",
        MIDDLE: "hosted",
        API_VERSION: "hosted_page",
    }
    assert [version for version, session in sessions.items() if "shipping" in session] == [OLD]


@pytest.mark.parametrize(
    "version", ["2099-01-01.unborn", "2019-12-03", "yesterday", "2025-03-31", "2020-08-27.basil"]
)
def test_a_version_that_cannot_be_played_is_refused(shop: Shop, version: str) -> None:
    answer = raw(shop, "/v1/events", version)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == f"Invalid Stripe API version: {version}"
    endpoint: Any = {"url": shop.webhook.url, "enabled_events": ["*"], "api_version": version}
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.stripe.v1.webhook_endpoints.create(endpoint)
    assert refusal.value.param == "api_version"


def test_charges_list_their_refunds_and_payments_their_charges_before_2022_11_15(shop: Shop) -> None:
    refund = sell_and_refund(shop)
    charge, payment = f"/v1/charges/{refund.charge}", f"/v1/payment_intents/{refund.payment_intent}"
    old = raw(shop, charge, "2022-08-01").json()
    assert [one["id"] for one in old["refunds"]["data"]] == [refund.id]
    [listed] = raw(shop, payment, "2022-08-01").json()["charges"]["data"]
    assert (listed["id"], listed["refunds"]["data"][0]["id"]) == (refund.charge, refund.id)
    assert "refunds" not in raw(shop, charge, "2022-11-15").json()
    assert "charges" not in raw(shop, payment, "2022-11-15").json()
    expanded = shop.stripe.v1.charges.retrieve(str(refund.charge), {"expand": ["refunds"]})
    assert [one.id for one in expanded.refunds or []] == [refund.id]


def test_the_list_within_an_event_stays_as_it_was(shop: Shop) -> None:
    shop.stripe.v1.refunds.create({"charge": str(sell_and_refund(shop).charge)})
    events = shop.stripe.v1.events.list({"type": "charge.refunded"}).data
    lists = [event.data.object["refunds"]["data"] for event in events]
    assert [[one["amount"] for one in refunds] for refunds in lists] == [[700, 300], [300]]


SESSION = ("id", "amount_total", "currency", "metadata", "payment_intent", "payment_status", "status")
DISPUTE = ("id", "amount", "balance_transactions", "charge", "payment_intent", "status")


@pytest.mark.parametrize(
    ("noun", "same", "differs"),
    [
        (
            "checkout/sessions",
            SESSION,
            {
                "adaptive_pricing": (False, True, True),
                "allowed_payment_method_types": (False, False, True),
                "shipping": (True, False, False),
            },
        ),
        ("disputes", DISPUTE, {"enhanced_eligibility_types": (False, True, True)}),
        ("charges", ("id", "amount", "payment_intent"), {"refunds": (True, False, False)}),
        ("refunds", ("id", "amount", "charge", "status"), {}),
    ],
)
def test_each_version_has_its_fields_and_the_newest_the_shape_of_the_sdk(
    shop: Shop, noun: str, same: tuple[str, ...], differs: dict[str, tuple[bool, ...]]
) -> None:
    shop.pay(shop.sell(), DISPUTED_CARD)
    sell_and_refund(shop)
    old, middle, new = found = [raw(shop, f"/v1/{noun}", version).json()["data"][0] for version in VERSIONS]
    assert {name: tuple(name in one for one in found) for name in differs} == differs
    for name in same:
        assert old[name] == middle[name] == new[name]
    assert faults(new) == []
    assert (old == new) is (not differs)


def test_the_evidence_of_a_dispute_has_the_fields_of_the_version(shop: Shop) -> None:
    shop.subscribe("charge.dispute.updated")
    shop.pay(shop.sell(), DISPUTED_CARD)
    [dispute] = shop.stripe.v1.disputes.list().data
    shop.stripe.v1.disputes.update(dispute.id, {"evidence": {"customer_name": "たま"}})
    delivered, fetched = (
        events[0].data
        for events in (
            shop.received("charge.dispute.updated"),
            shop.stripe.v1.events.list({"type": "charge.dispute.updated"}).data,
        )
    )
    for picture in ("object", "previous_attributes"):
        new, old = (data[picture]["evidence_details"] for data in (delivered, fetched))
        assert ("submission_method" in new, "submission_method" in old) == (True, False)
    assert fetched.previous_attributes is not None
    assert fetched.previous_attributes["status"] == "needs_response"


def test_each_difference_names_its_page_and_a_younger_version() -> None:
    assert len(CHANGES) > 8
    for change in CHANGES:
        assert change.page.startswith("https://docs.stripe.com/changelog/")
        assert change.since[:10] in change.page
        assert OLD < change.since <= API_VERSION
    assert [change.since[:10] for change in CHANGES] == sorted(
        (change.since[:10] for change in CHANGES), reverse=True
    )
