"""The stand-in's disputes: parts of a charge, their money, inquiries, appeals, prevention."""

from collections.abc import Iterator
from typing import Any

import pytest
import stripe

from local.stripe.disputes import FEE
from tests.integration.stripe_shop import API_VERSION, Shop

Told = list[tuple[str, str, list[int]]]


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Shop(account_version=API_VERSION) as shop:
        yield shop


@pytest.fixture
def charge(shop: Shop) -> stripe.Charge:
    """1,500 yen."""
    return shop.charge_of(shop.sell_and_pay(quantity=3))


def dispute(shop: Shop, charge: stripe.Charge, **params: object) -> stripe.Dispute:
    answer = shop.act("POST", f"/dashboard/charges/{charge.id}/disputes", params)
    assert answer.status_code == 200, answer.text
    return shop.stripe.v1.disputes.retrieve(answer.json()["id"])


def act(shop: Shop, one: stripe.Dispute, *actions: str) -> stripe.Dispute:
    for action in actions:
        answer = shop.act("POST", f"/dashboard/disputes/{one.id}/{action}")
        assert answer.status_code == 200, answer.text
    return shop.stripe.v1.disputes.retrieve(one.id)


def told(shop: Shop) -> Told:
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


OPENED: Told = [
    ("created", "needs_response", [-1500]),
    ("funds_withdrawn", "needs_response", [-1500]),
]
WON: Told = [
    ("closed", "won", [-1500, 1500]),
    ("funds_reinstated", "won", [-1500, 1500]),
]
INQUIRED: Told = [("created", "warning_needs_response", [])]
STORIES: list[tuple[dict[str, Any], str, Told]] = [
    ({}, "submit win", [*OPENED, ("updated", "under_review", [-1500]), *WON]),
    ({}, "lose", [*OPENED, ("closed", "lost", [-1500])]),
    (
        {},
        "prevent",
        [*OPENED, ("updated", "prevented", [-1500, 1500]), ("funds_reinstated", "prevented", [-1500, 1500])],
    ),
    ({"inquiry": True}, "close", [*INQUIRED, ("closed", "warning_closed", [])]),
    ({"inquiry": True}, "prevent", [*INQUIRED, ("updated", "prevented", [])]),
    (
        {"inquiry": True, "amount": 700},
        "submit escalate lose",
        [
            *INQUIRED,
            ("updated", "warning_under_review", []),
            ("updated", "needs_response", [-700]),
            ("funds_withdrawn", "needs_response", [-700]),
            ("closed", "lost", [-700]),
        ],
    ),
    (
        {},
        "win appeal submit win",
        [
            *OPENED,
            *WON,
            ("updated", "appeal_needs_response", [-1500, 1500]),
            ("funds_withdrawn", "appeal_needs_response", [-1500, 1500, -1500]),
            ("updated", "appeal_under_review", [-1500, 1500, -1500]),
            ("closed", "won", [-1500, 1500, -1500, 1500]),
            ("funds_reinstated", "won", [-1500, 1500, -1500, 1500]),
        ],
    ),
    (
        {},
        "lose appeal lose appeal submit win",
        [
            *OPENED,
            ("closed", "lost", [-1500]),
            ("updated", "appeal_needs_response", [-1500]),
            ("closed", "lost", [-1500]),
            ("updated", "appeal_needs_response", [-1500]),
            ("updated", "appeal_under_review", [-1500]),
            *WON,
        ],
    ),
    (
        {"prevention": "resolution", "amount": 400},
        "",
        [("created", "prevented", [-400]), ("funds_withdrawn", "prevented", [-400])],
    ),
    ({"prevention": "block"}, "", [("created", "prevented", [])]),
]


@pytest.mark.parametrize(("opened", "actions", "story"), STORIES)
def test_each_event_shows_the_dispute_as_it_was(
    shop: Shop, charge: stripe.Charge, opened: dict[str, Any], actions: str, story: Told
) -> None:
    act(shop, dispute(shop, charge, **opened), *actions.split())
    assert told(shop) == story


@pytest.mark.parametrize("prevention", ["resolution", "block"])
def test_what_is_prevented_from_the_start_costs_no_fee(
    shop: Shop, charge: stripe.Charge, prevention: str
) -> None:
    prevented: Any = dispute(shop, charge, prevention=prevention)
    assert prevented.payment_method_details.card.case_type == prevention
    assert all(one.fee == 0 for one in prevented.balance_transactions)


def test_a_part_of_a_charge_is_disputed_and_the_bank_takes_that_part(
    shop: Shop, charge: stripe.Charge
) -> None:
    opened = dispute(shop, charge, amount=500, reason="product_not_received")
    assert (opened.amount, opened.status, opened.reason) == (500, "needs_response", "product_not_received")
    assert (opened.charge, opened.payment_intent) == (charge.id, charge.payment_intent)
    [taken] = opened.balance_transactions
    assert (taken.amount, taken.net, taken.type) == (-500, -500 - FEE, "adjustment")
    assert taken.source == opened.id
    assert shop.stripe.v1.charges.retrieve(charge.id).disputed
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.stripe.v1.refunds.create({"charge": charge.id})
    assert refusal.value.code == "charge_disputed"
    assert shop.stripe.v1.disputes.close(opened.id).status == "lost"
    appealed = act(shop, opened, "appeal", "win", "appeal")
    assert [one.fee for one in appealed.balance_transactions] == [FEE, 0, 0]


def test_a_charge_is_disputed_twice_but_never_more_than_it_was(shop: Shop, charge: stripe.Charge) -> None:
    dispute(shop, charge, amount=500)
    second = dispute(shop, charge)
    assert second.amount == 1000
    path = f"/dashboard/charges/{charge.id}/disputes"
    assert shop.act("POST", path, {"amount": 1}).status_code == 400
    act(shop, second, "win")
    too_much = shop.act("POST", path, {"amount": 1001})
    assert (too_much.status_code, too_much.json()["error"]["param"]) == (400, "amount")


def test_only_card_payments_with_money_left_can_be_disputed(shop: Shop, charge: stripe.Charge) -> None:
    shop.stripe.v1.refunds.create({"charge": charge.id, "amount": 600})
    inquiry = dispute(shop, charge, inquiry=True)
    assert (inquiry.amount, inquiry.is_charge_refundable) == (900, True)
    konbini = shop.charge_of(shop.sell_for_konbini(voucher="pay"))
    refunded = shop.charge_of(shop.sell_and_pay())
    shop.stripe.v1.refunds.create({"charge": refunded.id})
    for one in (konbini, refunded, charge):
        assert shop.act("POST", f"/dashboard/charges/{one.id}/disputes").status_code == 400
    assert shop.act("POST", f"/dashboard/disputes/{inquiry.id}/vanish").status_code == 404


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
