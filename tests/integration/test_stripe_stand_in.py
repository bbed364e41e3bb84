"""The Stripe stand-in, driven by the unmodified SDK and by plain forms: Checkout, events, webhooks."""

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
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
    GOOD_CARD,
    PATIENCE_SECONDS,
    THREE_D_SECURE_CARD,
    Shop,
)

PAID_BY_CARD = [
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.succeeded",
    "checkout.session.completed",
]


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Shop() as shop:
        yield shop


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
    assert [one.id for one in shop.stripe.v1.charges.list({"payment_intent": intent.id})] == [charge.id]


def test_paying_emits_signed_events_that_the_sdk_accepts(shop: Shop) -> None:
    endpoint = shop.subscribe()
    session = shop.sell()
    shop.pay(session)

    events = shop.received(*PAID_BY_CARD)

    assert shop.event_types() == PAID_BY_CARD
    completed = next(event for event in events if event.type == "checkout.session.completed")
    assert (completed.api_version, completed.livemode) == (API_VERSION, False)
    assert completed.data.object["id"] == session.id
    assert completed.data.object["payment_status"] == "paid"
    assert completed.data.object["metadata"]["purchase_id"] == MIKES_PURCHASE
    assert completed.request is not None
    assert completed.request.id is None
    arrival = next(one for one in shop.webhook.arrivals if completed.id.encode() in one.body)
    assert arrival.headers["User-Agent"].startswith("Stripe/1.0")
    assert "secret" not in shop.stripe.v1.webhook_endpoints.retrieve(endpoint.id)


def test_a_body_travels_as_utf_8_with_two_spaces_like_stripes(shop: Shop) -> None:
    shop.subscribe("checkout.session.completed")
    shop.pay(shop.sell(metadata={"purchase_id": "pur_猫"}))
    [arrival] = shop.webhook.wait_for(bool)
    assert arrival.body.startswith(b'{\n  "id": "evt_')
    assert "pur_猫".encode() in arrival.body


def test_an_endpoint_gets_only_the_events_it_asked_for(shop: Shop) -> None:
    shop.subscribe("checkout.session.expired")
    shop.sell_and_pay()
    shop.stripe.v1.checkout.sessions.expire(shop.sell().id)
    assert [event.type for event in shop.received("checkout.session.expired")] == ["checkout.session.expired"]


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


def test_three_d_secure_pays_only_when_completed(shop: Shop) -> None:
    session = shop.sell()
    challenge = shop.pay(session, THREE_D_SECURE_CARD).headers["Location"]
    assert "本人認証" in shop.get(challenge).text
    assert shop.session(session.id).status == "open"

    assert shop.post(challenge, {"result": "fail"}).status_code == 402
    assert shop.session(session.id).payment_status == "unpaid"
    assert shop.event_types()[-1] == "payment_intent.payment_failed"

    challenge = shop.pay(session, THREE_D_SECURE_CARD).headers["Location"]
    answer = shop.post(challenge, {"result": "complete"})
    assert answer.headers["Location"] == f"https://nyanko.example/?session_id={session.id}"
    assert shop.session(session.id).payment_status == "paid"


def test_submitting_twice_pays_once(shop: Shop) -> None:
    session = shop.sell()
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(shop.pay(session).status_code)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [303, 303, 303, 303]
    assert len(shop.stripe.v1.charges.list().data) == 1
    assert shop.event_types() == PAID_BY_CARD


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ({"card_number": "4242 4242 4242 4241"}, "カード番号"),
        ({"expiry": "13/40"}, "有効期限"),
        ({"expiry": "01/20"}, "有効期限が切れています"),
        ({"cvc": "12"}, "セキュリティコード"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_charged(shop: Shop, form: dict[str, str], text: str) -> None:
    session = shop.sell()
    assert session.url is not None
    valid = {"card_number": GOOD_CARD, "expiry": "12/40", "cvc": "123"}
    answer = shop.post(session.url, valid | form)
    assert answer.status_code == 422
    assert text in answer.text
    assert shop.event_types() == []


def test_the_page_shows_what_is_bought_and_hides_markup_in_names(shop: Shop) -> None:
    order = shop.order()
    order["line_items"][0]["price_data"]["product_data"]["name"] = "<script>ねこ</script>"
    session = shop.stripe.v1.checkout.sessions.create(order)
    assert session.url is not None
    page = shop.get(session.url).text
    assert "&lt;script&gt;ねこ&lt;/script&gt; × 2" in page
    assert "¥1,000" in page


def test_cancel_leads_back_and_the_session_stays_open(shop: Shop) -> None:
    session = shop.sell()
    answer = shop.post(f"{session.url}/cancel")
    assert (answer.status_code, answer.headers["Location"]) == (303, "https://nyanko.example/?canceled=1")
    assert shop.session(session.id).status == "open"


def test_a_session_expires_by_itself_and_can_no_longer_be_paid(shop: Shop) -> None:
    shop.subscribe("checkout.session.expired")
    session = shop.sell(expires_at=int(time.time()) + 31 * 60)

    shop.clock.ahead = 32 * 60

    # Nobody calls: the event comes from the clock alone. Its signature is from the future that the test made.
    [arrival] = shop.webhook.wait_for(bool)
    assert json.loads(arrival.body)["data"]["object"]["id"] == session.id
    assert shop.pay(session).status_code == 410
    expired = shop.session(session.id)
    assert (expired.status, expired.url, expired.payment_status) == ("expired", None, "unpaid")


def test_a_page_that_was_open_too_long_can_no_longer_pay(shop: Shop) -> None:
    session = shop.sell(expires_at=int(time.time()) + 31 * 60)
    shop.clock.ahead = 32 * 60
    assert shop.pay(session).status_code == 410
    assert shop.event_types() == ["checkout.session.expired"]


def test_only_open_sessions_can_be_expired(shop: Shop) -> None:
    session = shop.sell()
    expired = shop.stripe.v1.checkout.sessions.expire(session.id, {}, {"idempotency_key": "expire-1"})
    assert expired.status == "expired"
    [event] = shop.stripe.v1.events.list().data
    assert event.type == "checkout.session.expired"
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
    ],
)
def test_wrong_parameters_are_refused_as_stripe_refuses_them(
    shop: Shop, change: dict[str, Any], code: str | None, param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.stripe.v1.checkout.sessions.create(shop.order(**change))
    error = refusal.value
    assert (error.http_status, error.code, error.param) == (400, code, param)
    assert (error.request_id or "").startswith("req_")


def test_less_than_fifty_yen_cannot_be_charged(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.sell(unit_amount=49, quantity=1)
    assert refusal.value.code == "amount_too_small"
    assert shop.sell(unit_amount=25, quantity=2).amount_total == 50


@pytest.mark.parametrize("api_key", ["pk_test_nyanko", "nonsense"])
def test_only_secret_keys_open_the_api(shop: Shop, api_key: str) -> None:
    client = stripe.StripeClient(api_key, base_addresses={"api": shop.stand_in.url})
    with pytest.raises(stripe.AuthenticationError):
        client.v1.events.list()
    assert shop.get("/v1/events").status_code == 401


def test_an_unknown_id_is_a_resource_missing(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.session("cs_test_nobody")
    assert (refusal.value.http_status, refusal.value.code) == (404, "resource_missing")
    with pytest.raises(stripe.InvalidRequestError, match="Unrecognized request URL"):
        shop.stripe.v1.customers.list()


def test_a_repeated_key_returns_the_first_answer(shop: Shop) -> None:
    first = shop.stripe.v1.checkout.sessions.create(shop.order(), {"idempotency_key": MIKES_PURCHASE})
    shop.stripe.v1.checkout.sessions.expire(first.id)
    again = shop.stripe.v1.checkout.sessions.create(shop.order(), {"idempotency_key": MIKES_PURCHASE})
    assert (again.id, again.status, again.url) == (first.id, "open", first.url)
    assert again.last_response is not None
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert len(shop.stripe.v1.checkout.sessions.list().data) == 1


def test_a_key_is_bound_to_its_parameters(shop: Shop) -> None:
    shop.stripe.v1.checkout.sessions.create(shop.order(), {"idempotency_key": MIKES_PURCHASE})
    with pytest.raises(stripe.IdempotencyError) as refusal:
        shop.stripe.v1.checkout.sessions.create(shop.order(quantity=3), {"idempotency_key": MIKES_PURCHASE})
    assert refusal.value.http_status == 400


def test_a_refused_call_leaves_its_key_unused(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        shop.stripe.v1.checkout.sessions.create(
            shop.order(unit_amount=1), {"idempotency_key": MIKES_PURCHASE}
        )
    assert (
        shop.stripe.v1.checkout.sessions.create(shop.order(), {"idempotency_key": MIKES_PURCHASE}).status
        == "open"
    )


def test_a_key_that_is_in_use_conflicts(shop: Shop) -> None:
    def create() -> requests.Response:
        return requests.post(
            f"{shop.stand_in.url}/v1/webhook_endpoints",
            data={"url": shop.webhook.url, "enabled_events[]": "*"},
            headers={"Authorization": "Bearer sk_test_nyanko", "Idempotency-Key": "endpoint-1"},
            timeout=PATIENCE_SECONDS,
        )

    statuses: queue.SimpleQueue[int] = queue.SimpleQueue()
    calls = [threading.Thread(target=lambda: statuses.put(create().status_code)) for _ in range(2)]
    with shop.stand_in.account.lock:
        for thread in calls:
            thread.start()
        # Both calls wait for the account, so one of them must find the key taken by the other.
        assert statuses.get(timeout=PATIENCE_SECONDS) == 409
    for thread in calls:
        thread.join()
    assert statuses.get(timeout=PATIENCE_SECONDS) == 200


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
    assert expanded.line_items is not None
    assert [one.id for one in expanded.line_items] == [line.id]


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
    shop.subscribe("checkout.session.completed")
    shop.webhook.answers = [500, 302]
    shop.sell_and_pay()
    refused, redirected, accepted = shop.webhook.wait_for(lambda arrivals: len(arrivals) == 3)
    assert (refused.status, redirected.status, accepted.status) == (500, 302, 200)
    for arrival in (refused, redirected, accepted):
        event = stripe.Webhook.construct_event(arrival.body, arrival.signature, shop.secret)
        assert event.pending_webhooks == 1


def test_delivery_success_tells_what_did_not_arrive() -> None:
    with Shop(retry_base=0.001) as shop:
        shop.subscribe("checkout.session.completed")
        shop.webhook.answers = [500] * MAX_ATTEMPTS
        shop.sell_and_pay()
        shop.webhook.wait_for(lambda arrivals: len(arrivals) == MAX_ATTEMPTS)
        find = shop.stripe.v1.events.list
        [lost] = find({"delivery_success": False}).data
        assert (lost.type, lost.pending_webhooks) == ("checkout.session.completed", 1)
        assert lost.type not in [event.type for event in find({"delivery_success": True})]

        resent = shop.act("POST", f"/dashboard/events/{lost.id}/resend")

        assert resent.json()["deliveries"][0]["event_id"] == lost.id
        [again] = shop.received("checkout.session.completed")
        assert again.id == lost.id


def test_resend_repeats_even_what_was_delivered(shop: Shop) -> None:
    shop.subscribe("checkout.session.completed")
    shop.sell_and_pay()
    [event] = shop.received("checkout.session.completed")
    answer = shop.post(f"/dashboard/events/{event.id}/resend")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/dashboard")
    arrivals = shop.webhook.wait_for(lambda arrivals: len(arrivals) == 2)
    assert [again.id for again in shop.verified(arrivals)] == [event.id, event.id]


def test_a_resent_event_is_not_repeated_once_more() -> None:
    with Shop(retry_base=0.3) as shop:
        shop.subscribe("checkout.session.completed", "checkout.session.expired")
        shop.webhook.answers = [500, 200, 500]
        shop.sell_and_pay()
        [resent] = shop.stripe.v1.events.list({"type": "checkout.session.completed"}).data
        shop.webhook.wait_for(lambda arrivals: len(arrivals) == 1)
        shop.act("POST", f"/dashboard/events/{resent.id}/resend")
        shop.received("checkout.session.completed")
        # The repetition of a later event arrives after the one that the resent event no longer needs.
        shop.stripe.v1.checkout.sessions.expire(shop.sell().id)
        types = [event.type for event in shop.received("checkout.session.expired")]
        assert types == ["checkout.session.completed", "checkout.session.expired"]


def test_a_disabled_endpoint_is_not_tried_again() -> None:
    with Shop(retry_base=0.3) as shop:
        disabled = shop.subscribe("checkout.session.completed")
        shop.webhook.answers = [500, 500]
        shop.sell_and_pay()
        shop.webhook.wait_for(lambda arrivals: len(arrivals) == 1)
        shop.stripe.v1.webhook_endpoints.update(disabled.id, {"disabled": True})
        shop.subscribe("checkout.session.expired")
        shop.stripe.v1.checkout.sessions.expire(shop.sell().id)
        types = [event.type for event in shop.received("checkout.session.expired")]
        assert types == ["checkout.session.expired"]


def test_resend_reaches_an_endpoint_that_came_later(shop: Shop) -> None:
    session = shop.sell_and_pay()
    [event] = shop.stripe.v1.events.list({"type": "checkout.session.completed"}).data
    shop.subscribe("checkout.session.completed")
    shop.act("POST", f"/dashboard/events/{event.id}/resend")
    [late] = shop.received("checkout.session.completed")
    assert late.data.object["id"] == session.id


def test_a_disabled_or_deleted_endpoint_gets_nothing(shop: Shop) -> None:
    disabled = shop.subscribe()
    updated = shop.stripe.v1.webhook_endpoints.update(
        disabled.id, {"disabled": True, "metadata": {"why": "test"}}
    )
    assert (updated.status, updated.metadata.to_dict()) == ("disabled", {"why": "test"})
    deleted = shop.subscribe()
    assert shop.stripe.v1.webhook_endpoints.delete(deleted.id).deleted is True
    assert [one.id for one in shop.stripe.v1.webhook_endpoints.list()] == [disabled.id]
    shop.sell_and_pay()
    events = shop.stripe.v1.events.list().data
    assert [event.pending_webhooks for event in events] == [0] * len(PAID_BY_CARD)
    shop.subscribe("checkout.session.expired")
    shop.stripe.v1.checkout.sessions.expire(shop.sell().id)
    assert [event.type for event in shop.received("checkout.session.expired")] == ["checkout.session.expired"]


def test_the_dashboard_lists_sessions_events_and_attempts(shop: Shop) -> None:
    shop.subscribe("checkout.session.completed")
    shop.webhook.answers = [503]
    session = shop.sell_and_pay()
    [event] = shop.received("checkout.session.completed")
    page = shop.get("/dashboard").text
    assert session.id in page
    assert event.id in page
    assert "503" in page
    assert f"/dashboard/events/{event.id}/resend" in page


def test_live_mode_marks_every_object() -> None:
    with Shop(livemode=True) as shop:
        shop.subscribe()
        session = shop.sell_and_pay()
        assert session.id.startswith("cs_live_")
        assert session.livemode
        assert all(event.livemode for event in shop.received(*PAID_BY_CARD))


def test_ids_sort_by_age_and_differ_between_runs() -> None:
    first, second = Account(), Account()
    ids = [first.new_id("evt_1") for _ in range(5000)]
    assert sorted(ids) == ids
    assert second.new_id("evt_1") not in ids
    assert len({len(one) for one in ids}) == 1


def test_it_runs_as_a_process_of_its_own_until_it_is_told_to_stop(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (tmp_path / "stderr").open("w+") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "local.stripe", "--port", str(port)],
            stderr=stderr,
            env={**os.environ, "PYTHONWARNINGS": "error"},
        )
        try:
            assert _healthy(f"http://127.0.0.1:{port}/_health", process)
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_SECONDS) == 0
        stderr.seek(0)
        assert stderr.read() == ""


def _healthy(url: str, process: "subprocess.Popen[bytes]") -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            return requests.get(url, timeout=PATIENCE_SECONDS).status_code == 200
        except requests.ConnectionError:
            threading.Event().wait(0.05)
    return False
