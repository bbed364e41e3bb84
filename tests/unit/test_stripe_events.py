"""What each event says of a purchase; which bodies are no events; which events are not ours."""

from dataclasses import replace
from typing import Any

import pytest

from nyanko.errors import BadInput, Permanent
from nyanko.facts import Dispute, Facts, Refund
from nyanko.readings import Reading, read
from nyanko.stripe_events import HANDLED_EVENTS, parse
from tests.data import MIKES_PURCHASE
from tests.stripe_events import SESSION, body

REFUND = {
    "object": "refund",
    "id": "re_mike",
    "amount": 500,
    "currency": "jpy",
    "status": "succeeded",
    "charge": "ch_mike",
    "payment_intent": "pi_mike",
}
DISPUTE = {
    "object": "dispute",
    "id": "du_mike",
    "amount": 1500,
    "currency": "jpy",
    "status": "needs_response",
    "charge": "ch_mike",
    "payment_intent": "pi_mike",
}
CHARGE = {"object": "charge", "id": "ch_mike", "payment_intent": "pi_mike", "amount_refunded": 500}


def reading(event_type: str, stripe_object: dict[str, Any], **changed: Any) -> Reading | None:
    return read(parse(body(event_type, stripe_object, **changed)))


@pytest.mark.parametrize(
    ("event_type", "payment_status", "told"),
    [
        ("checkout.session.completed", "paid", Facts(paid=1500)),
        ("checkout.session.completed", "unpaid", Facts(pending=True)),
        ("checkout.session.completed", "no_payment_required", Facts(pending=True)),
        ("checkout.session.async_payment_succeeded", "paid", Facts(paid=1500)),
        ("checkout.session.async_payment_succeeded", "unpaid", Facts()),
        ("checkout.session.async_payment_failed", "unpaid", Facts(closed="async_failed")),
        ("checkout.session.async_payment_failed", "paid", Facts(paid=1500, closed="async_failed")),
        ("checkout.session.expired", "unpaid", Facts(closed="expired")),
    ],
)
def test_a_session_is_paid_only_when_it_says_so_itself(
    event_type: str, payment_status: str, told: Facts
) -> None:
    assert reading(event_type, {**SESSION, "payment_status": payment_status}) == Reading(
        facts=told.merge(Facts(payment_intent="pi_mike")),
        purchase_id=MIKES_PURCHASE,
        session_id="cs_test_mike",
        payment_intent="pi_mike",
        amount=1500,
        currency="jpy",
    )


def test_an_expired_session_has_no_payment() -> None:
    told = reading(
        "checkout.session.expired", {**SESSION, "payment_status": "unpaid", "payment_intent": None}
    )
    assert told is not None
    assert told.facts == Facts(closed="expired")


@pytest.mark.parametrize(
    ("event_type", "given_status", "told_status"),
    [
        ("refund.created", "pending", "pending"),
        ("refund.created", "succeeded", "succeeded"),
        ("refund.updated", "requires_action", "requires_action"),
        ("refund.updated", "canceled", "canceled"),
        ("charge.refund.updated", "succeeded", "succeeded"),
        ("refund.failed", "failed", "failed"),
        ("refund.failed", "succeeded", "failed"),
        ("refund.failed", "canceled", "canceled"),
        ("refund.failed", "a_status_of_tomorrow", "failed"),
    ],
)
def test_a_refund_has_its_own_status_unless_the_event_says_that_it_failed(
    event_type: str, given_status: str, told_status: Any
) -> None:
    assert reading(event_type, {**REFUND, "status": given_status}) == Reading(
        facts=Facts(refunds={"re_mike": Refund(500, told_status)}), payment_intent="pi_mike", charge="ch_mike"
    )


@pytest.mark.parametrize(
    "event_type",
    [
        "charge.dispute.created",
        "charge.dispute.updated",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.closed",
    ],
)
def test_a_dispute_is_as_its_object_says_whatever_the_event_is_called(event_type: str) -> None:
    assert reading(event_type, DISPUTE) == Reading(
        facts=Facts(disputes={"du_mike": Dispute("needs_response", 1500, 1_700_000_000)}),
        payment_intent="pi_mike",
        charge="ch_mike",
    )


def test_a_refunded_charge_asks_for_its_refunds_since_it_knows_only_their_sum() -> None:
    assert reading("charge.refunded", CHARGE) == Reading(
        facts=Facts(), payment_intent="pi_mike", charge="ch_mike", charge_refunds=True
    )


@pytest.mark.parametrize(
    ("event_type", "stripe_object"),
    [
        ("checkout.session.completed", SESSION),
        ("refund.updated", REFUND),
        ("charge.dispute.updated", DISPUTE),
    ],
)
def test_what_tells_all_by_itself_asks_for_no_refunds(event_type: str, stripe_object: dict[str, Any]) -> None:
    told = reading(event_type, stripe_object)
    assert told is not None
    assert told.charge_refunds is False


def test_a_reference_may_be_expanded() -> None:
    told = reading(
        "refund.created", {**REFUND, "payment_intent": {"id": "pi_mike", "object": "payment_intent"}}
    )
    assert told is not None
    assert told.payment_intent == "pi_mike"


def test_every_handled_type_is_read() -> None:
    objects = {"checkout": SESSION, "refund": REFUND, "charge.refund": REFUND, "charge.dispute": DISPUTE}
    for event_type in HANDLED_EVENTS:
        kind = max((name for name in objects if event_type.startswith(f"{name}.")), key=len, default="charge")
        assert reading(event_type, objects.get(kind, CHARGE)) is not None, event_type


@pytest.mark.parametrize(
    ("event_type", "stripe_object", "changed"),
    [
        ("customer.created", {"object": "customer", "id": "cus_mike"}, {}),
        ("checkout.session.completed", SESSION, {"account": "acct_of_another"}),
        ("checkout.session.completed", {**SESSION, "mode": "subscription"}, {}),
        ("checkout.session.completed", {**SESSION, "mode": "setup"}, {}),
        ("checkout.session.completed", {**SESSION, "metadata": {}}, {}),
        ("checkout.session.completed", {**SESSION, "metadata": None}, {}),
        *(
            ("checkout.session.completed", {**SESSION, "metadata": {"purchase_id": foreign}}, {})
            for foreign in ("48213", "", "pur_mike", f"{MIKES_PURCHASE}0", MIKES_PURCHASE.upper(), 48213)
        ),
        # A payment link lets its visitor choose the client_reference_id, never the metadata.
        (
            "checkout.session.completed",
            {**SESSION, "metadata": {}, "client_reference_id": MIKES_PURCHASE},
            {},
        ),
        ("customer.created", {"object": "customer"}, {"api_version": "2020-08-27"}),
    ],
)
def test_what_is_not_of_a_purchase_of_ours_is_not_read(
    event_type: str, stripe_object: dict[str, Any], changed: dict[str, Any]
) -> None:
    assert reading(event_type, stripe_object, **changed) is None


@pytest.mark.parametrize("api_version", ["2020-08-27", None])
def test_what_is_there_is_read_in_any_version_of_the_api(api_version: str | None) -> None:
    in_ours = reading("checkout.session.completed", SESSION)
    assert in_ours is not None
    assert reading("checkout.session.completed", SESSION, api_version=api_version) == in_ours


WITHDRAWN = {"object": "balance_transaction", "id": "txn_1", "amount": -500, "fee": 1300, "net": -1800}
REINSTATED = {"object": "balance_transaction", "id": "txn_2", "amount": 500, "fee": -1300, "net": 1800}


@pytest.mark.parametrize(
    ("dispute", "away_yen"),
    [
        ({"amount": 500}, 500),
        ({"amount": 500, "balance_transactions": []}, 500),
        ({"amount": 1500, "balance_transactions": [WITHDRAWN]}, 500),
        ({"amount": 1500, "balance_transactions": [WITHDRAWN, REINSTATED]}, 0),
        ({"amount": 1500, "balance_transactions": [WITHDRAWN, REINSTATED, REINSTATED]}, 0),
        ({"status": "prevented"}, 0),
        ({"status": "prevented", "balance_transactions": [WITHDRAWN]}, 500),
        ({"status": "won", "balance_transactions": [WITHDRAWN]}, 500),
        ({"status": "warning_needs_response"}, 0),
        ({"currency": "usd", "amount": 333}, None),
        ({"currency": "eur", "amount": 333}, None),
        ({"currency": "usd", "balance_transactions": [WITHDRAWN]}, 500),
        ({"status": "a_status_of_tomorrow", "amount": 500}, 500),
    ],
)
def test_what_a_dispute_took_is_what_the_balance_shows_or_else_its_amount(
    dispute: dict[str, Any], away_yen: int | None
) -> None:
    told = reading("charge.dispute.updated", {**DISPUTE, **dispute})
    assert told is not None
    [fact] = told.facts.disputes.values()
    assert fact.away_yen == away_yen


@pytest.mark.parametrize(
    ("dispute", "tells"),
    [
        ({"status": "under_review"}, False),
        ({"status": "under_review", "balance_transactions": [WITHDRAWN, REINSTATED]}, True),
        ({"status": "won"}, True),
    ],
)
def test_reinstated_funds_of_a_dispute_that_still_looks_open_tell_nothing(
    dispute: dict[str, Any], *, tells: bool
) -> None:
    told = reading("charge.dispute.funds_reinstated", {**DISPUTE, **dispute})
    assert told is not None
    assert bool(told.facts.disputes) is tells


def now(event_type: str, stripe_object: dict[str, Any]) -> Facts:
    """What the object says as Stripe has it a minute after the event."""
    event = replace(parse(body(event_type, {})), object=stripe_object, retrieved_at=1_700_000_060)
    told = read(event)
    assert told is not None
    return told.facts


@pytest.mark.parametrize(
    ("event_type", "session", "told"),
    [
        ("checkout.session.expired", {"status": "complete", "payment_status": "paid"}, Facts(paid=1500)),
        (
            "checkout.session.completed",
            {"status": "expired", "payment_status": "unpaid"},
            Facts(closed="expired"),
        ),
        (
            "checkout.session.completed",
            {"status": "complete", "payment_status": "unpaid"},
            Facts(pending=True),
        ),
        ("checkout.session.completed", {"status": "open", "payment_status": "unpaid"}, Facts()),
        (
            "checkout.session.async_payment_failed",
            {"status": "complete", "payment_status": "unpaid"},
            Facts(pending=True, closed="async_failed"),
        ),
    ],
)
def test_a_retrieved_session_overrules_the_type_but_for_a_delayed_payment_that_failed(
    event_type: str, session: dict[str, Any], told: Facts
) -> None:
    assert now(event_type, {**SESSION, **session}) == told.merge(Facts(payment_intent="pi_mike"))


def test_a_retrieved_refund_and_dispute_are_as_they_are_now() -> None:
    refund = now("refund.failed", {**REFUND, "status": "succeeded"})
    assert refund.refunds["re_mike"].status == "succeeded"
    dispute = now("charge.dispute.funds_reinstated", {**DISPUTE, "status": "under_review"})
    assert dispute.disputes["du_mike"] == Dispute("under_review", 1500, 1_700_000_060)


@pytest.mark.parametrize(
    ("event_type", "stripe_object"),
    [
        ("checkout.session.completed", {**SESSION, "amount_total": None}),
        ("checkout.session.completed", {**SESSION, "amount_total": "1500"}),
        ("checkout.session.completed", {**SESSION, "amount_total": 1500.0}),
        ("checkout.session.completed", {**SESSION, "amount_total": True}),
        ("checkout.session.completed", {**SESSION, "amount_total": -1}),
        ("checkout.session.completed", {**SESSION, "payment_status": None}),
        ("checkout.session.completed", {**SESSION, "currency": 1}),
        ("checkout.session.completed", {**SESSION, "payment_intent": 1}),
        ("refund.created", {**REFUND, "status": "a_status_of_tomorrow"}),
        ("refund.created", {**REFUND, "id": None}),
        ("charge.dispute.created", {**DISPUTE, "status": None}),
        ("charge.dispute.created", {**DISPUTE, "balance_transactions": [{"amount": "-500"}]}),
        ("charge.dispute.created", {**DISPUTE, "balance_transactions": 500}),
        ("checkout.session.completed", {**SESSION, "id": None}),
        ("charge.refunded", {**CHARGE, "id": None}),
    ],
)
def test_a_handled_event_of_the_wrong_shape_is_parked(event_type: str, stripe_object: dict[str, Any]) -> None:
    with pytest.raises(Permanent, match="MalformedEvent"):
        reading(event_type, stripe_object)


@pytest.mark.parametrize(
    "not_an_event",
    [
        b"",
        b"\xff\xfe",
        b"not json",
        b"[]",
        b"null",
        b'"evt_mike"',
        b"{}",
        b"[" * 100_000,
        b'{"object": "v2.core.event", "id": "evt_mike", "type": "v1.billing.meter.error_report_triggered"}',
        body("customer.created", {}, id=None),
        body("customer.created", {}, id=""),
        body("customer.created", {}, id="evt mike"),
        body("customer.created", {}, id="evt_三毛"),
        body("customer.created", {}, id="evt_" + "m" * 69),
        body("customer.created", {}, type=None),
        body("customer.created", {}, created="today"),
        body("customer.created", {}, livemode="false"),
        body("customer.created", {}, data=None),
        body("customer.created", {}, data={"object": None}),
    ],
)
def test_what_is_not_a_snapshot_event_is_bad_input(not_an_event: bytes) -> None:
    with pytest.raises(BadInput, match="MalformedEvent"):
        parse(not_an_event)


def test_the_longest_event_id_still_names_an_execution_and_its_replays() -> None:
    event_id = "evt_" + "m" * 68
    assert parse(body("customer.created", {}, id=event_id)).event_id == event_id
    assert len(f"{event_id}-r999999") <= 80
