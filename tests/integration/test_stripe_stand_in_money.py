"""The Stripe stand-in when money comes late or goes back, and what its dashboard offers."""

import datetime as dt
from typing import Any

import pytest
import stripe

from tests.integration.stripe_shop import Shop

JST = dt.timezone(dt.timedelta(hours=9))
LATE_REFUND_CARD = "4000 0000 0000 7726"
FAILING_REFUND_CARD = "4000 0000 0000 5126"
DISPUTED_CARD = "4000 0000 0000 0259"


def sell_by(shop: Shop, card: str) -> stripe.Charge:
    session = shop.sell()
    assert shop.pay(session, card).status_code == 303
    return shop.charge_of(shop.session(session.id))


def new_events(shop: Shop, seen: int) -> list[str]:
    """What happened after the first `seen` events."""
    return shop.event_types()[seen:]


# Konbini


def test_konbini_completes_the_session_unpaid(shop: Shop) -> None:
    session = shop.sell_for_konbini()
    assert (session.status, session.payment_status) == ("complete", "unpaid")
    assert shop.event_types() == [
        "payment_intent.created",
        "payment_intent.requires_action",
        "checkout.session.completed",
    ]
    intent = shop.stripe.v1.payment_intents.retrieve(str(session.payment_intent))
    assert (intent.status, intent.next_action is None) == ("requires_action", False)
    details: Any = intent.next_action and intent.next_action.konbini_display_details
    expires_at = dt.datetime.fromtimestamp(details.expires_at, JST)
    assert f"{expires_at:%H:%M:%S}" == "23:59:59"
    assert expires_at.date() == dt.datetime.fromtimestamp(session.created, JST).date() + dt.timedelta(days=3)
    assert "払込番号" in shop.get(details.hosted_voucher_url).text


def test_a_paid_voucher_brings_the_money(shop: Shop) -> None:
    session = shop.sell_for_konbini(voucher="pay")
    assert shop.session(session.id).payment_status == "paid"
    assert new_events(shop, 3) == [
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.async_payment_succeeded",
    ]
    assert shop.charge_of(session).amount == 1000
    voucher = f"/c/voucher/{session.payment_intent}"
    assert "お支払いが完了しました" in shop.get(voucher).text
    assert [shop.post(f"{voucher}/{again}").status_code for again in ("pay", "expire")] == [400, 400]


def test_an_unpaid_voucher_ends_in_failure(shop: Shop) -> None:
    session = shop.sell_for_konbini(voucher="expire")
    assert shop.session(session.id).payment_status == "unpaid"
    assert new_events(shop, 3) == ["payment_intent.payment_failed", "checkout.session.async_payment_failed"]
    assert shop.post(f"/c/voucher/{session.payment_intent}/pay").status_code == 400


def test_a_voucher_expires_by_itself(shop: Shop) -> None:
    shop.sell_for_konbini(payment_method_options={"konbini": {"expires_after_days": 1}})
    shop.clock.ahead = 2 * 24 * 3600
    assert shop.event_types()[-1] == "checkout.session.async_payment_failed"


# Refunds


def test_refunds_add_up_to_the_charge_and_no_further(shop: Shop) -> None:
    session = shop.sell_and_pay()
    intent = str(session.payment_intent)
    seen = len(shop.event_types())

    first = shop.stripe.v1.refunds.create(
        {"payment_intent": intent, "amount": 300, "reason": "requested_by_customer"}
    )

    assert (first.status, first.amount, first.payment_intent) == ("succeeded", 300, intent)
    assert new_events(shop, seen) == ["refund.created", "charge.refunded"]
    charge = shop.charge_of(session)
    assert (charge.amount_refunded, charge.refunded) == (300, False)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.stripe.v1.refunds.create({"charge": charge.id, "amount": 701})
    assert refusal.value.param == "amount"
    rest = shop.stripe.v1.refunds.create({"charge": charge.id, "metadata": {"why": "gesture"}})
    assert (rest.amount, shop.charge_of(session).refunded) == (700, True)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.stripe.v1.refunds.create({"charge": charge.id})
    assert refusal.value.code == "charge_already_refunded"
    assert [one.id for one in shop.stripe.v1.refunds.list({"charge": charge.id})] == [rest.id, first.id]
    assert len(shop.stripe.v1.refunds.list({"payment_intent": intent}).data) == 2


def test_a_refund_names_exactly_one_payment_that_was_paid(shop: Shop) -> None:
    unpaid = str(shop.sell_for_konbini().payment_intent)
    with pytest.raises(stripe.InvalidRequestError, match="payment_intent or charge"):
        shop.stripe.v1.refunds.create({"amount": 1})
    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge"):
        shop.stripe.v1.refunds.create({"payment_intent": unpaid})
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.stripe.v1.refunds.create({"charge": "ch_nobody"})
    assert refusal.value.code == "resource_missing"


def test_the_bank_adds_its_reference_to_a_refund_without_a_new_status(shop: Shop) -> None:
    session = shop.sell_and_pay()
    shop.stripe.v1.refunds.create({"payment_intent": str(session.payment_intent)})
    seen = len(shop.event_types())
    shop.clock.ahead = 5
    assert new_events(shop, seen) == ["refund.updated", "charge.refund.updated"]
    [updated] = shop.stripe.v1.events.list({"type": "refund.updated"}).data
    assert updated.data.object["status"] == "succeeded"
    assert updated.data.object["destination_details"]["card"]["reference_status"] == "available"


def test_a_refund_can_take_its_time(shop: Shop) -> None:
    charge = sell_by(shop, LATE_REFUND_CARD)
    refund = shop.stripe.v1.refunds.create({"charge": charge.id})
    assert refund.status == "pending"
    assert shop.act("POST", f"/dashboard/refunds/{refund.id}/succeed").json()["status"] == "succeeded"
    assert shop.act("POST", f"/dashboard/refunds/{refund.id}/succeed").status_code == 400
    shop.clock.ahead = 5
    types = shop.event_types()
    assert types[-2:] == ["refund.updated", "charge.refund.updated"]
    assert types.count("refund.updated") == 1


def test_a_refund_can_fail_after_it_succeeded(shop: Shop) -> None:
    charge = sell_by(shop, FAILING_REFUND_CARD)
    refund = shop.stripe.v1.refunds.create({"charge": charge.id})
    assert refund.status == "succeeded"
    seen = len(shop.event_types())
    shop.clock.ahead = 5
    assert new_events(shop, seen) == ["refund.failed", "refund.updated", "charge.refund.updated"]
    failed = shop.stripe.v1.refunds.retrieve(refund.id)
    assert (failed.status, failed.failure_reason) == ("failed", "unknown")
    assert failed.failure_balance_transaction is not None
    restored = shop.stripe.v1.charges.retrieve(charge.id)
    assert (restored.amount_refunded, restored.refunded) == (0, False)
    assert shop.stripe.v1.refunds.create({"charge": charge.id}).amount == 1000


def test_the_dashboard_refunds_and_fails_refunds(shop: Shop) -> None:
    charge = shop.charge_of(shop.sell_and_pay())
    refund = shop.act("POST", f"/dashboard/charges/{charge.id}/refunds", {"amount": 400}).json()
    assert (refund["amount"], refund["status"]) == (400, "succeeded")
    answer = shop.post(f"/dashboard/refunds/{refund['id']}/fail", {"failure_reason": "lost_or_stolen_card"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/dashboard")
    assert shop.stripe.v1.refunds.retrieve(refund["id"]).failure_reason == "lost_or_stolen_card"


def test_the_dashboard_offers_what_can_be_done(shop: Shop) -> None:
    shop.subscribe("charge.dispute.created")
    shop.webhook.answers = [503]
    charge = sell_by(shop, DISPUTED_CARD)
    [event] = shop.received("charge.dispute.created")
    dispute = event.data.object["id"]
    refund = shop.stripe.v1.refunds.create({"charge": shop.charge_of(shop.sell_and_pay()).id, "amount": 1})
    voucher = shop.sell_for_konbini()
    key = shop.act("POST", "/dashboard/api_keys").json()
    page = shop.get("/dashboard").text
    for path in (
        f"disputes/{dispute}/win",
        f"refunds/{refund.id}/fail",
        f"charges/{refund.charge}/disputes",
        f"events/{event.id}/resend",
        f"api_keys/{key['id']}/roll",
    ):
        assert f'action="/dashboard/{path}"' in page
    assert f"/c/voucher/{voucher.payment_intent}" in page
    assert "503" in page
    assert key["key"] not in page
    shop.act("POST", f"/dashboard/disputes/{dispute}/win")
    assert f'action="/dashboard/disputes/{dispute}/appeal"' in shop.get("/dashboard").text
    assert charge.id in page


def test_a_konbini_refund_waits_for_the_buyers_answer(shop: Shop) -> None:
    session = shop.sell_for_konbini(voucher="pay")
    seen = len(shop.event_types())

    refund = shop.stripe.v1.refunds.create(
        {"payment_intent": str(session.payment_intent), "instructions_email": "mike@nyanko.example"}
    )

    assert refund.status == "requires_action"
    assert refund.next_action is not None
    assert refund.next_action.display_details is not None
    assert refund.next_action.display_details.email_sent.email_sent_to == "mike@nyanko.example"
    assert shop.charge_of(session).amount_refunded == 0
    assert new_events(shop, seen) == ["refund.created"]
    shop.act("POST", f"/dashboard/refunds/{refund.id}/succeed")
    assert shop.charge_of(session).refunded
    assert new_events(shop, seen + 1) == ["refund.updated", "charge.refund.updated", "charge.refunded"]


def test_only_a_refund_that_waits_for_the_buyer_can_be_canceled(shop: Shop) -> None:
    charge = shop.charge_of(shop.sell_for_konbini(voucher="pay"))
    refund = shop.stripe.v1.refunds.create({"charge": charge.id})
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.stripe.v1.refunds.create({"charge": charge.id})
    assert refusal.value.code == "charge_already_refunded"
    assert shop.stripe.v1.refunds.cancel(refund.id).status == "canceled"
    again = shop.stripe.v1.refunds.create({"charge": charge.id})
    assert shop.act("POST", f"/dashboard/refunds/{again.id}/cancel").json()["status"] == "canceled"
    assert shop.act("POST", f"/dashboard/refunds/{again.id}/cancel").status_code == 400
    by_card = shop.stripe.v1.refunds.create({"charge": shop.charge_of(shop.sell_and_pay()).id})
    with pytest.raises(stripe.InvalidRequestError, match="status of succeeded"):
        shop.stripe.v1.refunds.cancel(by_card.id)
