"""The stand-in's disputes: parts of a charge, their money, inquiries, appeals, prevention."""

from collections.abc import Iterator
from typing import Any

import pytest
import stripe

from local.stripe.disputes import FEE
from tests.integration.stripe_shop import API_VERSION, Shop


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Shop(account_version=API_VERSION) as shop:
        yield shop


@pytest.fixture
def charge(shop: Shop) -> stripe.Charge:
    """1,500 yen."""
    session = shop.sell_and_pay(quantity=3)
    assert isinstance(session.payment_intent, str)
    [charge] = shop.stripe.v1.charges.list({"payment_intent": session.payment_intent}).data
    return charge


def dispute(shop: Shop, charge: stripe.Charge, **params: object) -> stripe.Dispute:
    answer = shop.act("POST", f"/dashboard/charges/{charge.id}/disputes", params)
    assert answer.status_code == 200, answer.text
    return shop.stripe.v1.disputes.retrieve(answer.json()["id"])


def act(shop: Shop, one: stripe.Dispute, *actions: str) -> stripe.Dispute:
    for action in actions:
        answer = shop.act("POST", f"/dashboard/disputes/{one.id}/{action}")
        assert answer.status_code == 200, answer.text
    return shop.stripe.v1.disputes.retrieve(one.id)


def moved(one: stripe.Dispute) -> list[int]:
    return [transaction.amount for transaction in one.balance_transactions]


def told(shop: Shop) -> list[tuple[str, str, list[int]]]:
    """Of each dispute event, the oldest first: its type, and the dispute's status and money at its moment."""
    events = shop.stripe.v1.events.list({"type": "charge.dispute.*", "limit": 100}).data
    return [
        (
            event.type.removeprefix("charge.dispute."),
            event.data.object["status"],
            [one["amount"] for one in event.data.object["balance_transactions"]],
        )
        for event in reversed(events)
    ]


def test_a_part_of_a_charge_is_disputed_and_the_bank_takes_that_part(
    shop: Shop, charge: stripe.Charge
) -> None:
    opened = dispute(shop, charge, amount=500)
    assert (opened.amount, opened.status, moved(opened)) == (500, "needs_response", [-500])
    [taken] = opened.balance_transactions
    assert (taken.fee, taken.net, taken.type) == (FEE, -500 - FEE, "adjustment")
    assert taken.source == opened.id
    won = act(shop, opened, "win")
    given_back = won.balance_transactions[1]
    assert (given_back.amount, given_back.fee, given_back.net) == (500, 0, 500)


def test_a_charge_is_disputed_twice_but_never_more_than_it_was(shop: Shop, charge: stripe.Charge) -> None:
    dispute(shop, charge, amount=500)
    second = dispute(shop, charge)
    assert second.amount == 1000
    path = f"/dashboard/charges/{charge.id}/disputes"
    assert shop.act("POST", path, {"amount": 1}).status_code == 400
    act(shop, second, "win")
    too_much = shop.act("POST", path, {"amount": 1001})
    assert (too_much.status_code, too_much.json()["error"]["param"]) == (400, "amount")


def test_what_was_refunded_is_not_disputed(shop: Shop, charge: stripe.Charge) -> None:
    shop.stripe.v1.refunds.create({"charge": charge.id, "amount": 600})
    assert dispute(shop, charge).amount == 900


def test_each_event_shows_the_dispute_as_it_was(shop: Shop, charge: stripe.Charge) -> None:
    act(shop, dispute(shop, charge), "submit", "win")
    assert told(shop) == [
        ("created", "needs_response", [-1500]),
        ("funds_withdrawn", "needs_response", [-1500]),
        ("updated", "under_review", [-1500]),
        ("closed", "won", [-1500, 1500]),
        ("funds_reinstated", "won", [-1500, 1500]),
    ]


def test_an_inquiry_escalates_after_it_was_answered(shop: Shop, charge: stripe.Charge) -> None:
    act(shop, dispute(shop, charge, inquiry=True, amount=700), "submit", "escalate", "lose")
    assert told(shop) == [
        ("created", "warning_needs_response", []),
        ("updated", "warning_under_review", []),
        ("updated", "needs_response", [-700]),
        ("funds_withdrawn", "needs_response", [-700]),
        ("closed", "lost", [-700]),
    ]


@pytest.mark.parametrize(
    ("end", "event_type", "status"),
    [("close", "closed", "warning_closed"), ("prevent", "updated", "prevented")],
)
def test_an_inquiry_that_ends_has_moved_no_money(
    shop: Shop, charge: stripe.Charge, end: str, event_type: str, status: str
) -> None:
    act(shop, dispute(shop, charge, inquiry=True), end)
    assert told(shop) == [("created", "warning_needs_response", []), (event_type, status, [])]


def test_a_won_dispute_that_is_appealed_takes_the_money_again(shop: Shop, charge: stripe.Charge) -> None:
    appealed = act(shop, dispute(shop, charge), "win", "appeal")
    assert (appealed.status, moved(appealed)) == ("appeal_needs_response", [-1500, 1500, -1500])
    assert [one.fee for one in appealed.balance_transactions] == [FEE, 0, 0]
    assert not appealed.is_charge_refundable
    won = act(shop, appealed, "submit", "win")
    assert sum(moved(won)) == 0
    assert told(shop)[4:] == [
        ("updated", "appeal_needs_response", [-1500, 1500]),
        ("funds_withdrawn", "appeal_needs_response", [-1500, 1500, -1500]),
        ("updated", "appeal_under_review", [-1500, 1500, -1500]),
        ("closed", "won", [-1500, 1500, -1500, 1500]),
        ("funds_reinstated", "won", [-1500, 1500, -1500, 1500]),
    ]


def test_a_lost_dispute_that_we_appeal_moves_no_money_until_it_is_won(
    shop: Shop, charge: stripe.Charge
) -> None:
    lost = act(shop, dispute(shop, charge), "lose")
    appealed = act(shop, lost, "appeal")
    assert (appealed.status, moved(appealed)) == ("appeal_needs_response", [-1500])
    assert act(shop, appealed, "lose").status == "lost"
    assert moved(act(shop, appealed, "appeal", "submit", "win")) == [-1500, 1500]


def test_an_appeal_takes_evidence_of_its_own_and_no_other(shop: Shop, charge: stripe.Charge) -> None:
    opened = dispute(shop, charge)
    update = shop.stripe.v1.disputes.update
    appeal: Any = {"appeal": {"card": {"reason_for_filing": "猫は本物です", "supporting_files": ["file_1"]}}}
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        update(opened.id, {"evidence": appeal})
    assert refusal.value.param == "evidence"
    update(opened.id, {"evidence": {"customer_name": "たま"}})
    appealed = act(shop, opened, "lose", "appeal")
    with pytest.raises(stripe.InvalidRequestError):
        update(appealed.id, {"evidence": {"customer_name": "みけ"}})
    staged = update(appealed.id, {"evidence": appeal, "submit": False})
    assert staged.status == "appeal_needs_response"
    submitted = update(appealed.id, {"submit": True})
    assert submitted.status == "appeal_under_review"
    assert submitted.evidence.appeal is not None
    assert submitted.evidence.appeal.card is not None
    assert submitted.evidence.appeal.card.reason_for_filing == "猫は本物です"
    assert submitted.evidence_details.submission_count == 1


@pytest.mark.parametrize(("prevention", "money"), [("resolution", [-400]), ("block", [])])
def test_a_dispute_is_prevented_from_the_start(
    shop: Shop, charge: stripe.Charge, prevention: str, money: list[int]
) -> None:
    prevented = dispute(shop, charge, prevention=prevention, amount=400)
    assert (prevented.status, moved(prevented)) == ("prevented", money)
    assert prevented.payment_method_details is not None
    assert prevented.payment_method_details.card is not None
    assert prevented.payment_method_details.card.case_type == prevention
    assert [fee.fee for fee in prevented.balance_transactions] == [0] * len(money)
    assert [one[0] for one in told(shop)] == (["created", "funds_withdrawn"] if money else ["created"])


@pytest.mark.parametrize(
    ("before", "action"),
    [
        ((), "appeal"),
        (("win",), "win"),
        (("win", "appeal"), "prevent"),
        (("win", "appeal"), "close"),
        (("lose", "appeal", "submit"), "submit"),
        (("lose", "appeal"), "appeal"),
    ],
)
def test_what_a_status_does_not_allow_is_refused(
    shop: Shop, charge: stripe.Charge, before: tuple[str, ...], action: str
) -> None:
    one = act(shop, dispute(shop, charge), *before)
    refused = shop.act("POST", f"/dashboard/disputes/{one.id}/{action}")
    assert refused.status_code == 400
    assert f"The dispute has a status of {one.status}" in refused.json()["error"]["message"]


def test_the_dashboard_offers_each_step(shop: Shop, charge: stripe.Charge) -> None:
    page = shop.get("/dashboard").text
    assert f'action="/dashboard/charges/{charge.id}/disputes"' in page
    assert 'name="prevention" value="resolution"' in page
    won = act(shop, dispute(shop, charge, amount=500), "win")
    appealed = act(shop, dispute(shop, charge, amount=400), "win", "appeal")
    page = shop.get("/dashboard").text
    assert f'action="/dashboard/disputes/{won.id}/appeal"' in page
    assert f'action="/dashboard/disputes/{appealed.id}/submit"' in page
    form = {"amount": "300", "inquiry": "true"}
    assert shop.post(f"/dashboard/charges/{charge.id}/disputes", form).status_code == 303
    [newest, *_] = shop.stripe.v1.disputes.list().data
    assert (newest.amount, newest.status) == (300, "warning_needs_response")
