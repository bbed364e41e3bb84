"""The Stripe stand-in, driven by the unmodified SDK and by plain forms: Checkout, events, webhooks."""

import json
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

import pytest
import requests
import stripe

from local.stripe.deliveries import MAX_ATTEMPTS
from local.stripe.store import Account
from tests.data import MIKES_PURCHASE
from tests.integration.stripe_shop import (
    API_VERSION,
    DECLINED_CARD,
    PATIENCE_SECONDS,
    Shop,
)

COMPLETED, EXPIRED = "checkout.session.completed", "checkout.session.expired"
PAID_BY_CARD = ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded", COMPLETED]


def test_a_paid_session_is_complete_and_its_payment_carries_the_metadata(shop: Shop) -> None:
    session = shop.sell()
    assert (session.status, session.payment_status, session.payment_intent) == ("open", "unpaid", None)

    answer = shop.pay(session)

    assert answer.status_code == 303
    assert answer.headers["Location"] == f"https://nyanko.example/?session_id={session.id}"
    paid = shop.stripe.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})
    assert (paid.status, paid.payment_status, paid.url) == ("complete", "paid", None)
    assert (paid.amount_total, paid.currency, paid.client_reference_id) == (1000, "jpy", MIKES_PURCHASE)
    assert paid.customer_details is not None
    assert paid.customer_details.email == "tama@nyanko.example"
    intent = paid.payment_intent
    assert isinstance(intent, stripe.PaymentIntent)
    assert (intent.status, intent.amount_received) == ("succeeded", 1000)
    assert intent.metadata.to_dict() == {"purchase_id": MIKES_PURCHASE}
    charge = intent.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert (charge.paid, charge.amount, charge.payment_intent) == (True, 1000, intent.id)
    assert charge.metadata.to_dict() == {"purchase_id": MIKES_PURCHASE}


def test_paying_emits_signed_events_that_the_sdk_accepts(shop: Shop) -> None:
    endpoint = shop.subscribe()
    session = shop.sell_and_pay(metadata={"purchase_id": "pur_猫"})

    events = shop.received(*PAID_BY_CARD)

    assert shop.event_types() == PAID_BY_CARD
    completed = next(event for event in events if event.type == COMPLETED)
    assert (completed.api_version, completed.livemode) == (API_VERSION, False)
    assert completed.data.object["id"] == session.id
    assert completed.data.object["payment_status"] == "paid"
    assert completed.data.object["metadata"]["purchase_id"] == "pur_猫"
    assert completed.request is not None
    assert completed.request.id is None
    arrival = next(one for one in shop.webhook.arrivals if completed.id.encode() in one.body)
    assert arrival.headers["User-Agent"].startswith("Stripe/1.0")
    assert arrival.body.startswith(b'{\n  "id": "evt_')
    assert "pur_猫".encode() in arrival.body
    assert "secret" not in shop.stripe.v1.webhook_endpoints.retrieve(endpoint.id)


def test_a_declined_card_leaves_the_session_open_for_another(shop: Shop) -> None:
    session = shop.sell()

    declined = shop.pay(session, DECLINED_CARD)

    assert declined.status_code == 402
    assert "カードが拒否されました。" in declined.text
    open_session = shop.stripe.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert open_session.status == "open"
    intent = open_session.payment_intent
    assert isinstance(intent, stripe.PaymentIntent)
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error is not None
    assert intent.last_payment_error.decline_code == "generic_decline"
    assert shop.event_types() == ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]
    assert shop.pay(session).status_code == 303
    assert shop.session(session.id).payment_intent == intent.id


def test_submitting_twice_pays_once(shop: Shop) -> None:
    session = shop.sell()
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: shop.pay(session).status_code, range(4)))
    assert answers == [303, 303, 303, 303]
    assert len(shop.stripe.v1.charges.list().data) == 1
    assert shop.event_types() == PAID_BY_CARD


def test_a_session_expires_by_itself_and_can_no_longer_be_paid(shop: Shop) -> None:
    shop.subscribe(EXPIRED)
    session = shop.sell(expires_at=int(time.time()) + 31 * 60)

    shop.clock.ahead = 32 * 60

    # Nobody calls: the event comes from the clock alone. Its signature is from the future that the test made.
    [arrival] = shop.webhook.wait_for(bool)
    assert json.loads(arrival.body)["data"]["object"]["id"] == session.id
    assert shop.pay(session).status_code == 410
    expired = shop.session(session.id)
    assert (expired.status, expired.url, expired.payment_status) == ("expired", None, "unpaid")


def test_only_open_sessions_can_be_expired(shop: Shop) -> None:
    session = shop.sell()
    expired = shop.stripe.v1.checkout.sessions.expire(session.id, {}, {"idempotency_key": "expire-1"})
    assert expired.status == "expired"
    [event] = shop.stripe.v1.events.list().data
    assert event.type == EXPIRED
    assert event.request is not None
    assert event.request.idempotency_key == "expire-1"
    with pytest.raises(stripe.InvalidRequestError, match="status of `expired`"):
        shop.stripe.v1.checkout.sessions.expire(session.id)


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"payment_method_types": ["card"]}, "parameter_unknown", "payment_method_types"),
        ({"colour": "red"}, "parameter_unknown", "colour"),
        ({"line_items": []}, "parameter_missing", "line_items"),
        ({"line_items": [{"quantity": 1}]}, "parameter_missing", "line_items[0][price_data]"),
        ({"success_url": "nyanko"}, "url_invalid", "success_url"),
        ({"expires_at": int(time.time()) + 60}, None, "expires_at"),
        ({"expires_at": int(time.time()) + 25 * 3600}, None, "expires_at"),
        ({"metadata": {"note": "x" * 501}}, "parameter_invalid_string_too_long", "metadata[note]"),
        ({"mode": "subscription"}, None, "mode"),
        ({"client_reference_id": ""}, "parameter_invalid_empty", "client_reference_id"),
        ({"unit_amount": 49, "quantity": 1}, "amount_too_small", None),
    ],
)
def test_wrong_parameters_are_refused_as_stripe_refuses_them(
    shop: Shop, change: dict[str, Any], code: str | None, param: str | None
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.stripe.v1.checkout.sessions.create(shop.order(**change))
    error = refusal.value
    assert (error.http_status, error.code, error.param) == (400, code, param)
    assert (error.request_id or "").startswith("req_")


def test_a_key_is_bound_to_its_parameters_and_repeats_the_first_answer(shop: Shop) -> None:
    def create(**params: Any) -> stripe.checkout.Session:
        key: Any = {"idempotency_key": MIKES_PURCHASE}
        return shop.stripe.v1.checkout.sessions.create(shop.order(**params), key)

    with pytest.raises(stripe.InvalidRequestError):
        create(unit_amount=1)  # what was refused at once has not used the key
    first = create()
    shop.stripe.v1.checkout.sessions.expire(first.id)
    again = create()
    assert (again.id, again.status, again.url) == (first.id, "open", first.url)
    assert again.last_response is not None
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    with pytest.raises(stripe.IdempotencyError) as refusal:
        create(quantity=3)
    assert refusal.value.http_status == 400
    assert len(shop.stripe.v1.checkout.sessions.list().data) == 1


def test_a_key_that_is_in_use_conflicts(shop: Shop) -> None:
    def create() -> int:
        return requests.post(
            f"{shop.stand_in.url}/v1/webhook_endpoints",
            data={"url": shop.webhook.url, "enabled_events[]": "*"},
            headers={"Authorization": "Bearer sk_test_nyanko", "Idempotency-Key": "endpoint-1"},
            timeout=PATIENCE_SECONDS,
        ).status_code

    with ThreadPoolExecutor(2) as threads:
        with shop.stand_in.account.lock:
            calls = [threads.submit(create) for _ in range(2)]
            # Both calls wait for the account, so one of them must find the key taken by the other.
            conflicting = next(as_completed(calls, PATIENCE_SECONDS))
            assert conflicting.result() == 409
        assert sorted(call.result(PATIENCE_SECONDS) for call in calls) == [200, 409]


def test_lists_page_in_both_directions(shop: Shop) -> None:
    sessions = [shop.sell().id for _ in range(5)]
    newest_first = list(reversed(sessions))
    page = shop.stripe.v1.checkout.sessions.list({"limit": 2})
    assert ([one.id for one in page], page.has_more) == (newest_first[:2], True)
    assert [one.id for one in page.auto_paging_iter()] == newest_first
    after = shop.stripe.v1.checkout.sessions.list({"limit": 3, "starting_after": newest_first[1]})
    assert ([one.id for one in after], after.has_more) == (newest_first[2:], False)
    before = shop.stripe.v1.checkout.sessions.list({"limit": 2, "ending_before": newest_first[3]})
    assert ([one.id for one in before], before.has_more) == (newest_first[1:3], True)


def test_sessions_are_found_by_payment_status_and_time(shop: Shop) -> None:
    paid = shop.sell_and_pay()
    shop.sell()
    assert isinstance(paid.payment_intent, str)
    find = shop.stripe.v1.checkout.sessions.list
    assert [one.id for one in find({"payment_intent": paid.payment_intent})] == [paid.id]
    assert [one.id for one in find({"status": "complete"})] == [paid.id]
    assert len(find({"created": {"gte": paid.created}}).data) == 2
    assert find({"created": {"lt": paid.created}}).data == []


def test_line_items_show_the_price_that_was_asked(shop: Shop) -> None:
    session = shop.sell()
    [line] = shop.stripe.v1.checkout.sessions.line_items.list(session.id).data
    assert (line.description, line.quantity, line.amount_total) == ("ねこ缶 𓃠", 2, 1000)
    expanded = shop.stripe.v1.checkout.sessions.retrieve(session.id, {"expand": ["line_items"]})
    assert [one.id for one in expanded.line_items or []] == [line.id]


def test_an_event_keeps_the_picture_of_its_moment(shop: Shop) -> None:
    session = shop.sell()
    shop.pay(session, DECLINED_CARD)
    shop.pay(session)
    [created] = shop.stripe.v1.events.list({"type": "payment_intent.created"}).data
    assert shop.stripe.v1.events.retrieve(created.id).data.object["status"] == "requires_payment_method"
    assert [event.type for event in shop.stripe.v1.events.list({"type": "charge.*"})] == [
        "charge.succeeded",
        "charge.failed",
    ]
    types = ["charge.failed", "payment_intent.created"]
    assert [event.type for event in shop.stripe.v1.events.list({"types": types})] == types


def test_a_refused_delivery_is_repeated_with_a_fresh_signature(shop: Shop) -> None:
    shop.subscribe(COMPLETED)
    shop.webhook.answers = [500, 302]
    shop.sell_and_pay()
    refused, redirected, accepted = shop.webhook.wait_for(lambda arrivals: len(arrivals) == 3)
    assert (refused.status, redirected.status, accepted.status) == (500, 302, 200)
    for arrival in (refused, redirected, accepted):
        event = stripe.Webhook.construct_event(arrival.body, arrival.signature, shop.secret)
        assert event.pending_webhooks == 1


def test_delivery_success_tells_what_did_not_arrive() -> None:
    with Shop(retry_base=0.001) as shop:
        shop.subscribe(COMPLETED)
        shop.webhook.answers = [500] * MAX_ATTEMPTS
        shop.sell_and_pay()
        shop.webhook.wait_for(lambda arrivals: len(arrivals) == MAX_ATTEMPTS)
        find = shop.stripe.v1.events.list
        [lost] = find({"delivery_success": False}).data
        assert (lost.type, lost.pending_webhooks) == (COMPLETED, 1)
        assert lost.type not in [event.type for event in find({"delivery_success": True})]

        resent = shop.act("POST", f"/dashboard/events/{lost.id}/resend")

        assert resent.json()["deliveries"][0]["event_id"] == lost.id
        [again] = shop.received(COMPLETED)
        assert again.id == lost.id


def test_resend_reaches_an_endpoint_that_came_later_even_again(shop: Shop) -> None:
    shop.sell_and_pay()
    [event] = shop.stripe.v1.events.list({"type": COMPLETED}).data
    shop.subscribe(COMPLETED)
    for _ in range(2):
        shop.act("POST", f"/dashboard/events/{event.id}/resend")
        shop.received(COMPLETED)
    arrivals = shop.webhook.wait_for(lambda arrivals: len(arrivals) == 2)
    assert [again.id for again in shop.verified(arrivals)] == [event.id, event.id]


def test_a_resent_event_is_not_repeated_once_more() -> None:
    with Shop(retry_base=0.3) as shop:
        shop.subscribe(COMPLETED, EXPIRED)
        shop.webhook.answers = [500, 200, 500]
        shop.sell_and_pay()
        [resent] = shop.stripe.v1.events.list({"type": COMPLETED}).data
        shop.webhook.wait_for(lambda arrivals: len(arrivals) == 1)
        shop.act("POST", f"/dashboard/events/{resent.id}/resend")
        shop.received(COMPLETED)
        # The repetition of a later event arrives after the one that the resent event no longer needs.
        shop.stripe.v1.checkout.sessions.expire(shop.sell().id)
        assert [event.type for event in shop.received(EXPIRED)] == [COMPLETED, EXPIRED]


def test_a_disabled_endpoint_is_not_tried_again() -> None:
    with Shop(retry_base=0.3) as shop:
        disabled = shop.subscribe(COMPLETED)
        shop.webhook.answers = [500, 500]
        shop.sell_and_pay()
        shop.webhook.wait_for(lambda arrivals: len(arrivals) == 1)
        shop.stripe.v1.webhook_endpoints.update(disabled.id, {"disabled": True})
        shop.subscribe(EXPIRED)
        shop.stripe.v1.checkout.sessions.expire(shop.sell().id)
        assert [event.type for event in shop.received(EXPIRED)] == [EXPIRED]


def test_a_disabled_or_deleted_endpoint_gets_nothing(shop: Shop) -> None:
    disabled, deleted = shop.subscribe(), shop.subscribe()
    updated = shop.stripe.v1.webhook_endpoints.update(
        disabled.id, {"disabled": True, "metadata": {"why": "test"}}
    )
    assert (updated.status, updated.metadata.to_dict()) == ("disabled", {"why": "test"})
    assert shop.stripe.v1.webhook_endpoints.delete(deleted.id).deleted is True
    assert [one.id for one in shop.stripe.v1.webhook_endpoints.list()] == [disabled.id]
    shop.sell_and_pay()
    events = shop.stripe.v1.events.list().data
    assert [event.pending_webhooks for event in events] == [0] * len(PAID_BY_CARD)
    assert shop.webhook.arrivals == []


def test_ids_sort_by_age_and_differ_between_runs() -> None:
    first, second = Account(), Account()
    ids = [first.new_id("evt_1") for _ in range(5000)]
    assert sorted(ids) == ids
    assert second.new_id("evt_1") not in ids
    assert len({len(one) for one in ids}) == 1
