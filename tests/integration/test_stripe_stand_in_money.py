"""The Stripe stand-in when money comes late, goes back, or is disputed."""

import datetime as dt
from collections.abc import Iterator

import pytest
import requests
import stripe

from tests.integration.stripe_shop import Shop

JST = dt.timezone(dt.timedelta(hours=9))
LATE_REFUND_CARD = "4000 0000 0000 7726"
FAILING_REFUND_CARD = "4000 0000 0000 5126"
DISPUTED_CARD = "4000 0000 0000 0259"
INQUIRED_CARD = "4000 0000 0000 1976"


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Shop() as shop:
        yield shop


def payment_intent_of(session: stripe.checkout.Session) -> str:
    assert isinstance(session.payment_intent, str)
    return session.payment_intent


def charge_of(shop: Shop, session: stripe.checkout.Session) -> stripe.Charge:
    [charge] = shop.stripe.v1.charges.list({"payment_intent": payment_intent_of(session)}).data
    return charge


def sell_for_konbini(shop: Shop) -> stripe.checkout.Session:
    session = shop.sell()
    assert session.url is not None
    buyer = {"payment_method": "konbini", "email": "tama@nyanko.example", "name": "たま"}
    answer = shop.post(session.url, buyer)
    assert answer.headers["Location"] == f"https://nyanko.example/?session_id={session.id}"
    return shop.session(session.id)


def voucher_of(shop: Shop, session: stripe.checkout.Session) -> str:
    intent = shop.stripe.v1.payment_intents.retrieve(payment_intent_of(session))
    assert intent.next_action is not None
    details = intent.next_action.konbini_display_details
    assert details is not None
    assert details.hosted_voucher_url is not None
    return details.hosted_voucher_url


def sell_by(shop: Shop, card: str) -> stripe.Charge:
    session = shop.sell()
    assert shop.pay(session, card).status_code == 303
    return charge_of(shop, shop.session(session.id))


def new_events(shop: Shop, seen: int) -> list[str]:
    """What happened after the first `seen` events."""
    return shop.event_types()[seen:]


# Konbini


def test_konbini_completes_the_session_unpaid(shop: Shop) -> None:
    session = sell_for_konbini(shop)
    assert (session.status, session.payment_status) == ("complete", "unpaid")
    assert shop.event_types() == [
        "payment_intent.created",
        "payment_intent.requires_action",
        "checkout.session.completed",
    ]
    intent = shop.stripe.v1.payment_intents.retrieve(payment_intent_of(session))
    assert intent.status == "requires_action"
    assert intent.next_action is not None
    assert intent.next_action.konbini_display_details is not None
    expires_at = dt.datetime.fromtimestamp(intent.next_action.konbini_display_details.expires_at, JST)
    assert f"{expires_at:%H:%M:%S}" == "23:59:59"
    assert expires_at.date() == dt.datetime.fromtimestamp(session.created, JST).date() + dt.timedelta(days=3)


def test_a_paid_voucher_brings_the_money(shop: Shop) -> None:
    session = sell_for_konbini(shop)
    voucher = voucher_of(shop, session)
    assert "払込番号" in shop.get(voucher).text

    assert shop.post(f"{voucher}/pay").status_code == 303

    assert shop.session(session.id).payment_status == "paid"
    assert new_events(shop, 3) == [
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.async_payment_succeeded",
    ]
    assert charge_of(shop, session).amount == 1000
    assert "お支払いが完了しました" in shop.get(voucher).text
    assert shop.post(f"{voucher}/pay").status_code == 400
    assert shop.post(f"{voucher}/expire").status_code == 400


def test_an_unpaid_voucher_ends_in_failure(shop: Shop) -> None:
    session = sell_for_konbini(shop)
    voucher = voucher_of(shop, session)
    assert shop.post(f"{voucher}/expire").status_code == 303
    assert shop.session(session.id).payment_status == "unpaid"
    assert new_events(shop, 3) == ["payment_intent.payment_failed", "checkout.session.async_payment_failed"]
    assert shop.post(f"{voucher}/pay").status_code == 400


def test_a_voucher_expires_by_itself(shop: Shop) -> None:
    session = shop.sell(payment_method_options={"konbini": {"expires_after_days": 1}})
    assert session.url is not None
    shop.post(session.url, {"payment_method": "konbini", "email": "tama@nyanko.example", "name": "たま"})
    shop.clock.ahead = 2 * 24 * 3600
    assert shop.event_types()[-1] == "checkout.session.async_payment_failed"


def test_konbini_needs_a_name_and_is_offered_only_where_allowed(shop: Shop) -> None:
    session = shop.sell()
    assert session.url is not None
    assert shop.post(session.url, {"payment_method": "konbini", "email": "a@b.example"}).status_code == 422
    card_only = shop.sell(allowed_payment_method_types=["card"])
    assert card_only.payment_method_types == ["card"]
    assert card_only.url is not None
    assert "コンビニ" not in shop.get(card_only.url).text
    buyer = {"payment_method": "konbini", "email": "tama@nyanko.example", "name": "たま"}
    assert shop.post(card_only.url, buyer).status_code == 422
    assert shop.pay(shop.sell(allowed_payment_method_types=["konbini"])).status_code == 422
    assert shop.event_types() == []


# Refunds


def test_refunds_add_up_to_the_charge_and_no_further(shop: Shop) -> None:
    session = shop.sell_and_pay()
    intent = payment_intent_of(session)
    seen = len(shop.event_types())

    first = shop.stripe.v1.refunds.create(
        {"payment_intent": intent, "amount": 300, "reason": "requested_by_customer"}
    )

    assert (first.status, first.amount, first.payment_intent) == ("succeeded", 300, intent)
    assert new_events(shop, seen) == ["refund.created", "charge.refunded"]
    charge = charge_of(shop, session)
    assert (charge.amount_refunded, charge.refunded) == (300, False)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.stripe.v1.refunds.create({"charge": charge.id, "amount": 701})
    assert refusal.value.param == "amount"
    rest = shop.stripe.v1.refunds.create({"charge": charge.id, "metadata": {"why": "gesture"}})
    assert (rest.amount, charge_of(shop, session).refunded) == (700, True)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.stripe.v1.refunds.create({"charge": charge.id})
    assert refusal.value.code == "charge_already_refunded"
    assert [one.id for one in shop.stripe.v1.refunds.list({"charge": charge.id})] == [rest.id, first.id]
    assert len(shop.stripe.v1.refunds.list({"payment_intent": intent}).data) == 2


def test_a_refund_names_exactly_one_payment_that_was_paid(shop: Shop) -> None:
    unpaid = payment_intent_of(sell_for_konbini(shop))
    with pytest.raises(stripe.InvalidRequestError, match="payment_intent or charge"):
        shop.stripe.v1.refunds.create({"amount": 1})
    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge"):
        shop.stripe.v1.refunds.create({"payment_intent": unpaid})
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.stripe.v1.refunds.create({"charge": "ch_nobody"})
    assert refusal.value.code == "resource_missing"


def test_the_bank_adds_its_reference_to_a_refund_without_a_new_status(shop: Shop) -> None:
    session = shop.sell_and_pay()
    refund = shop.stripe.v1.refunds.create({"payment_intent": payment_intent_of(session)})
    seen = len(shop.event_types())
    shop.clock.ahead = 5
    assert new_events(shop, seen) == ["refund.updated", "charge.refund.updated"]
    [updated] = shop.stripe.v1.events.list({"type": "refund.updated"}).data
    assert updated.data.object["status"] == "succeeded"
    assert refund.destination_details is not None
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
    charge = charge_of(shop, shop.sell_and_pay())
    refund = shop.act("POST", f"/dashboard/charges/{charge.id}/refunds", {"amount": 400}).json()
    assert (refund["amount"], refund["status"]) == (400, "succeeded")
    answer = shop.post(f"/dashboard/refunds/{refund['id']}/fail", {"failure_reason": "lost_or_stolen_card"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/dashboard")
    assert shop.stripe.v1.refunds.retrieve(refund["id"]).failure_reason == "lost_or_stolen_card"


def test_a_konbini_refund_waits_for_the_buyers_answer(shop: Shop) -> None:
    session = sell_for_konbini(shop)
    shop.post(f"{voucher_of(shop, session)}/pay")
    seen = len(shop.event_types())

    refund = shop.stripe.v1.refunds.create(
        {"payment_intent": payment_intent_of(session), "instructions_email": "mike@nyanko.example"}
    )

    assert refund.status == "requires_action"
    assert refund.next_action is not None
    assert refund.next_action.display_details is not None
    assert refund.next_action.display_details.email_sent.email_sent_to == "mike@nyanko.example"
    assert charge_of(shop, session).amount_refunded == 0
    assert new_events(shop, seen) == ["refund.created"]
    shop.act("POST", f"/dashboard/refunds/{refund.id}/succeed")
    assert charge_of(shop, session).refunded
    assert new_events(shop, seen + 1) == ["refund.updated", "charge.refund.updated", "charge.refunded"]


def test_only_a_refund_that_waits_for_the_buyer_can_be_canceled(shop: Shop) -> None:
    session = sell_for_konbini(shop)
    shop.post(f"{voucher_of(shop, session)}/pay")
    refund = shop.stripe.v1.refunds.create({"payment_intent": payment_intent_of(session)})
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.stripe.v1.refunds.create({"payment_intent": payment_intent_of(session)})
    assert refusal.value.code == "charge_already_refunded"
    assert shop.stripe.v1.refunds.cancel(refund.id).status == "canceled"
    assert shop.stripe.v1.refunds.create({"payment_intent": payment_intent_of(session)}).amount == 1000
    by_card = shop.stripe.v1.refunds.create({"charge": charge_of(shop, shop.sell_and_pay()).id})
    with pytest.raises(stripe.InvalidRequestError, match="status of succeeded"):
        shop.stripe.v1.refunds.cancel(by_card.id)


# Disputes


def dispute(shop: Shop, charge: stripe.Charge, **params: object) -> stripe.Dispute:
    answer = shop.act("POST", f"/dashboard/charges/{charge.id}/disputes", params)
    return shop.stripe.v1.disputes.retrieve(answer.json()["id"])


def act(shop: Shop, one: stripe.Dispute, action: str) -> requests.Response:
    return shop.act("POST", f"/dashboard/disputes/{one.id}/{action}")


def test_a_chargeback_takes_the_money_and_a_lost_one_keeps_it(shop: Shop) -> None:
    charge = charge_of(shop, shop.sell_and_pay())
    seen = len(shop.event_types())

    opened = dispute(shop, charge, reason="product_not_received")

    assert (opened.status, opened.reason, opened.amount) == ("needs_response", "product_not_received", 1000)
    assert (opened.charge, opened.payment_intent) == (charge.id, charge.payment_intent)
    assert [one.amount for one in opened.balance_transactions] == [-1000]
    assert new_events(shop, seen) == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]
    assert shop.stripe.v1.charges.retrieve(charge.id).disputed
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.stripe.v1.refunds.create({"charge": charge.id})
    assert refusal.value.code == "charge_disputed"
    assert shop.stripe.v1.disputes.close(opened.id).status == "lost"
    assert new_events(shop, seen + 2) == ["charge.dispute.closed"]
    assert act(shop, opened, "win").status_code == 400


def test_evidence_wins_the_money_back(shop: Shop) -> None:
    charge = charge_of(shop, shop.sell_and_pay())
    opened = dispute(shop, charge)
    seen = len(shop.event_types())
    staged = shop.stripe.v1.disputes.update(
        opened.id, {"evidence": {"product_description": "ねこ缶"}, "submit": False}
    )
    assert (staged.status, staged.evidence_details.submission_count) == ("needs_response", 0)
    submitted = shop.stripe.v1.disputes.update(opened.id, {"evidence": {"customer_name": "たま"}})
    assert (submitted.status, submitted.evidence.product_description) == ("under_review", "ねこ缶")

    won = act(shop, opened, "win").json()

    assert won["status"] == "won"
    assert [one["amount"] for one in won["balance_transactions"]] == [-1000, 1000]
    assert new_events(shop, seen) == [
        "charge.dispute.updated",
        "charge.dispute.updated",
        "charge.dispute.closed",
        "charge.dispute.funds_reinstated",
    ]


def test_an_inquiry_moves_no_money_until_it_escalates(shop: Shop) -> None:
    closed = dispute(shop, charge_of(shop, shop.sell_and_pay()), inquiry=True)
    assert (closed.status, closed.balance_transactions) == ("warning_needs_response", [])
    assert closed.is_charge_refundable
    assert act(shop, closed, "win").status_code == 400
    assert act(shop, closed, "close").json()["status"] == "warning_closed"

    seen = len(shop.event_types())
    charge = charge_of(shop, shop.sell_and_pay())
    escalated = act(shop, dispute(shop, charge, inquiry=True), "escalate").json()
    assert (escalated["status"], len(escalated["balance_transactions"])) == ("needs_response", 1)
    assert new_events(shop, seen)[4:] == [
        "charge.dispute.created",
        "charge.dispute.updated",
        "charge.dispute.funds_withdrawn",
    ]


def test_a_prevented_dispute_gives_the_money_back(shop: Shop) -> None:
    opened = dispute(shop, charge_of(shop, shop.sell_and_pay()))
    prevented = act(shop, opened, "prevent").json()
    assert prevented["status"] == "prevented"
    assert prevented["payment_method_details"]["card"]["case_type"] == "resolution"
    assert shop.event_types()[-2:] == ["charge.dispute.updated", "charge.dispute.funds_reinstated"]


def test_test_cards_bring_their_dispute_along(shop: Shop) -> None:
    disputed = sell_by(shop, DISPUTED_CARD)
    inquired = sell_by(shop, INQUIRED_CARD)
    [chargeback] = shop.stripe.v1.disputes.list({"charge": disputed.id}).data
    [inquiry] = shop.stripe.v1.disputes.list({"charge": inquired.id}).data
    assert (chargeback.status, inquiry.status) == ("needs_response", "warning_needs_response")


def test_only_card_payments_with_money_left_can_be_disputed(shop: Shop) -> None:
    session = sell_for_konbini(shop)
    shop.post(f"{voucher_of(shop, session)}/pay")
    konbini = charge_of(shop, session)
    refunded = charge_of(shop, shop.sell_and_pay())
    shop.stripe.v1.refunds.create({"charge": refunded.id})
    disputed = sell_by(shop, DISPUTED_CARD)
    for charge in (konbini, refunded, disputed):
        assert shop.act("POST", f"/dashboard/charges/{charge.id}/disputes").status_code == 400
    assert shop.act("POST", f"/dashboard/disputes/{disputed.id}/vanish").status_code == 404


def test_the_dashboard_offers_what_can_be_done(shop: Shop) -> None:
    disputed = sell_by(shop, DISPUTED_CARD)
    [opened] = shop.stripe.v1.disputes.list({"charge": disputed.id}).data
    refund = shop.stripe.v1.refunds.create({"charge": charge_of(shop, shop.sell_and_pay()).id, "amount": 1})
    voucher = voucher_of(shop, sell_for_konbini(shop))
    page = shop.get("/dashboard").text
    for path in (
        f"disputes/{opened.id}/win",
        f"refunds/{refund.id}/fail",
        f"charges/{refund.charge}/disputes",
    ):
        assert f'action="/dashboard/{path}"' in page
    assert voucher.removeprefix(shop.stand_in.url) in page
