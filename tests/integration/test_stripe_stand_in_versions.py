"""The stand-in's API versions: which one an answer has, and how old and new ones differ."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import stripe

from local.stripe.versions import CHANGES
from tests.integration.stripe_shapes import faults
from tests.integration.stripe_shop import API_VERSION, PATIENCE_SECONDS, Arrival, Shop

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


def first(shop: Shop, path: str, version: str, **params: str) -> dict[str, Any]:
    found: dict[str, Any] = raw(shop, path, version, **params).json()["data"][0]
    return found


def sell_and_refund(shop: Shop) -> stripe.Refund:
    session = shop.sell_and_pay()
    assert isinstance(session.payment_intent, str)
    return shop.stripe.v1.refunds.create({"payment_intent": session.payment_intent, "amount": 300})


def bodies(arrivals: list[Arrival]) -> dict[str, Any]:
    """The newest delivered event of each type."""
    events = [json.loads(arrival.body) for arrival in arrivals]
    return {event["type"]: event for event in events}


# Which version an answer has


@pytest.mark.parametrize("asked", [None, *VERSIONS])
def test_events_of_the_api_have_the_accounts_version_whatever_is_asked(shop: Shop, asked: str | None) -> None:
    sell_and_refund(shop)
    listed = raw(shop, "/v1/events", asked, type="charge.refunded").json()["data"][0]
    alone = raw(shop, f"/v1/events/{listed['id']}", asked).json()
    assert listed == alone
    assert alone["api_version"] == OLD
    assert [one["amount"] for one in alone["data"]["object"]["refunds"]["data"]] == [300]


def test_the_sdk_cannot_choose_the_version_of_an_event(shop: Shop) -> None:
    shop.sell_and_pay()
    [event] = shop.stripe.v1.events.list({"type": "checkout.session.completed"}).data
    assert event.api_version == OLD
    assert event.data.object["ui_mode"] == "hosted"
    assert shop.session(event.data.object["id"]).ui_mode == "hosted_page"


def test_a_delivery_has_the_endpoints_version_and_the_api_another(shop: Shop) -> None:
    shop.subscribe()
    sell_and_refund(shop)
    shop.received("charge.refunded")
    delivered = bodies(shop.webhook.arrivals)["charge.refunded"]
    assert delivered["api_version"] == API_VERSION
    assert "refunds" not in delivered["data"]["object"]
    assert shop.stripe.v1.events.retrieve(delivered["id"]).api_version == OLD


@pytest.mark.parametrize("version", [OLD, MIDDLE])
def test_an_endpoint_of_an_older_version_gets_deliveries_in_it(shop: Shop, version: str) -> None:
    endpoint: Any = {"url": shop.webhook.url, "enabled_events": ["*"], "api_version": version}
    shop.stripe.v1.webhook_endpoints.create(endpoint)
    shop.sell_and_pay()
    arrivals = shop.webhook.wait_for(lambda seen: "checkout.session.completed" in bodies(seen))
    event = bodies(arrivals)["checkout.session.completed"]
    assert event["api_version"] == version
    assert event["data"]["object"]["ui_mode"] == "hosted"
    assert ("shipping" in event["data"]["object"]) is (version == OLD)


def test_an_endpoint_without_a_version_gets_the_accounts(shop: Shop) -> None:
    shop.stripe.v1.webhook_endpoints.create({"url": shop.webhook.url, "enabled_events": ["charge.succeeded"]})
    shop.sell_and_pay()
    [arrival] = shop.webhook.wait_for(bool)
    assert json.loads(arrival.body)["api_version"] == OLD


def test_two_endpoints_get_one_event_in_two_versions(shop: Shop) -> None:
    """Stripe's own way to upgrade: https://docs.stripe.com/webhooks/versioning."""
    shop.subscribe("checkout.session.completed")
    older: Any = {
        "url": shop.webhook.url,
        "enabled_events": ["checkout.session.completed"],
        "api_version": "2026-09-30.endive",
    }
    shop.stripe.v1.webhook_endpoints.create(older)
    shop.sell_and_pay()
    events = [json.loads(arrival.body) for arrival in shop.webhook.wait_for(lambda seen: len(seen) == 2)]
    assert len({event["id"] for event in events}) == 1
    assert {event["api_version"] for event in events} == {API_VERSION, "2026-09-30.endive"}


def test_an_upgrade_of_the_account_leaves_earlier_events_as_they_are(shop: Shop) -> None:
    shop.sell_and_pay()
    upgraded = shop.act("POST", "/dashboard/api_version", {"api_version": MIDDLE})
    assert upgraded.json() == {"api_version": MIDDLE}
    shop.sell_and_pay()
    events = shop.stripe.v1.events.list({"type": "checkout.session.completed"}).data
    assert [event.api_version for event in events] == [MIDDLE, OLD]
    assert shop.act("POST", "/dashboard/api_version", {"api_version": "soon"}).status_code == 400


def test_the_default_version_is_seen_in_the_header_of_an_answer_to_no_version(shop: Shop) -> None:
    """No object of Stripe's API names it; https://docs.stripe.com/api/versioning has the header."""
    assert raw(shop, "/v1/events").headers["Stripe-Version"] == OLD
    assert raw(shop, "/v1/events", MIDDLE).headers["Stripe-Version"] == MIDDLE


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


# What differs


def test_a_charge_lists_its_refunds_before_2022_11_15(shop: Shop) -> None:
    refund = sell_and_refund(shop)
    path = f"/v1/charges/{refund.charge}"
    old = raw(shop, path, "2022-08-01").json()
    assert [one["id"] for one in old["refunds"]["data"]] == [refund.id]
    assert "refunds" not in raw(shop, path, "2022-11-15").json()
    assert isinstance(refund.charge, str)
    expanded = shop.stripe.v1.charges.retrieve(refund.charge, {"expand": ["refunds"]})
    assert expanded.refunds is not None
    assert [one.id for one in expanded.refunds] == [refund.id]


def test_a_payment_lists_its_charges_before_2022_11_15(shop: Shop) -> None:
    refund = sell_and_refund(shop)
    old = raw(shop, f"/v1/payment_intents/{refund.payment_intent}", OLD).json()
    [charge] = old["charges"]["data"]
    assert (charge["id"], charge["refunds"]["data"][0]["id"]) == (refund.charge, refund.id)
    assert "charges" not in raw(shop, f"/v1/payment_intents/{refund.payment_intent}", MIDDLE).json()


def test_the_list_within_an_event_stays_as_it_was(shop: Shop) -> None:
    refund = sell_and_refund(shop)
    assert isinstance(refund.charge, str)
    shop.stripe.v1.refunds.create({"charge": refund.charge})
    events = shop.stripe.v1.events.list({"type": "charge.refunded"}).data
    lists = [event.data.object["refunds"]["data"] for event in events]
    assert [[one["amount"] for one in refunds] for refunds in lists] == [[700, 300], [300]]


def test_sessions_of_each_version_have_its_fields(shop: Shop) -> None:
    session = shop.sell_and_pay()
    old, middle, new = (
        raw(shop, f"/v1/checkout/sessions/{session.id}", version).json() for version in VERSIONS
    )
    assert [one["ui_mode"] for one in (old, middle, new)] == ["hosted", "hosted", "hosted_page"]
    assert ["adaptive_pricing" in one for one in (old, middle, new)] == [False, True, True]
    assert ["shipping" in one for one in (old, middle, new)] == [True, False, False]
    assert ["allowed_payment_method_types" in one for one in (old, middle, new)] == [False, False, True]
    between = raw(shop, f"/v1/checkout/sessions/{session.id}", "2022-08-01").json()
    assert "shipping_details" in between
    same = ("id", "amount_total", "currency", "metadata", "payment_intent", "payment_status", "status")
    assert [[one[name] for name in same] for one in (old, middle)] == [[new[name] for name in same]] * 2


def test_disputes_of_each_version_have_its_fields(shop: Shop) -> None:
    shop.pay(shop.sell(), DISPUTED_CARD)
    old, middle, new = (first(shop, "/v1/disputes", version) for version in VERSIONS)
    assert ["enhanced_eligibility_types" in one for one in (old, middle, new)] == [False, True, True]
    assert ["submission_method" in one["evidence_details"] for one in (old, middle, new)] == [
        False,
        False,
        True,
    ]
    same = ("id", "amount", "balance_transactions", "charge", "payment_intent", "status")
    assert [[one[name] for name in same] for one in (old, middle)] == [[new[name] for name in same]] * 2


def test_refunds_look_alike_in_all_versions(shop: Shop) -> None:
    sell_and_refund(shop)
    old, middle, new = (first(shop, "/v1/refunds", version) for version in VERSIONS)
    assert old == middle == new


def test_before_2022_08_01_a_session_has_its_payment_from_the_start(shop: Shop) -> None:
    order = shop.order(unit_amount=500)
    order.pop("adaptive_pricing")
    old = shop.stripe.v1.checkout.sessions.create(order, {"stripe_version": OLD})
    assert isinstance(old.payment_intent, str)
    new = shop.stripe.v1.checkout.sessions.create(order, {"stripe_version": "2022-08-01"})
    assert new.payment_intent is None


def test_each_version_has_its_own_parameter_for_payment_methods(shop: Shop) -> None:
    create = shop.stripe.v1.checkout.sessions.create
    before = create(shop.order(payment_method_types=["card"]), {"stripe_version": MIDDLE})
    assert before.payment_method_types == ["card"]
    after = create(shop.order(allowed_payment_method_types=["card"]))
    assert after.payment_method_types == ["card"]
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        create(shop.order(allowed_payment_method_types=["card"]), {"stripe_version": MIDDLE})
    assert refusal.value.code == "parameter_unknown"
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        create(shop.order(ui_mode="hosted_page"), {"stripe_version": MIDDLE})
    assert refusal.value.param == "ui_mode"


def test_previous_attributes_are_those_of_the_version_too(shop: Shop) -> None:
    shop.subscribe("charge.dispute.updated")
    shop.pay(shop.sell(), DISPUTED_CARD)
    [dispute] = shop.stripe.v1.disputes.list().data
    shop.stripe.v1.disputes.update(dispute.id, {"evidence": {"customer_name": "たま"}})
    [delivered] = shop.received("charge.dispute.updated")
    [fetched] = shop.stripe.v1.events.list({"type": "charge.dispute.updated"}).data
    new, old = delivered.data.previous_attributes, fetched.data.previous_attributes
    assert new is not None
    assert old is not None
    assert "submission_method" in new["evidence_details"]
    assert "submission_method" not in old["evidence_details"]
    assert old["status"] == "needs_response"


@pytest.mark.parametrize("noun", ["checkout/sessions", "refunds", "disputes", "charges"])
def test_only_the_newest_version_has_the_shape_of_the_sdk(shop: Shop, noun: str) -> None:
    shop.pay(shop.sell(), DISPUTED_CARD)
    sell_and_refund(shop)
    assert faults(first(shop, f"/v1/{noun}", API_VERSION)) == []
    differs = noun in ("checkout/sessions", "charges")
    assert bool(_differences(shop, noun)) is (differs or noun == "disputes")


def _differences(shop: Shop, noun: str) -> set[str]:
    old, new = first(shop, f"/v1/{noun}", OLD), first(shop, f"/v1/{noun}", API_VERSION)
    return {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}


def test_each_difference_names_its_page_and_a_younger_version() -> None:
    assert len(CHANGES) > 8
    for change in CHANGES:
        assert change.page.startswith("https://docs.stripe.com/changelog/")
        assert change.since[:10] in change.page
        assert OLD < change.since <= API_VERSION
    assert [change.since[:10] for change in CHANGES] == sorted(
        (change.since[:10] for change in CHANGES), reverse=True
    )
