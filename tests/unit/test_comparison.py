"""Stripe's records against ours, purchase by purchase: what is outstanding, and what nobody can explain."""

from dataclasses import replace

import pytest

from nyanko.comparison import BalanceSheet, Comparison, StripePurchase, balance, compare, stripe_purchase
from nyanko.facts import Dispute, Facts, Refund
from nyanko.purchases import Purchase
from tests.data import MIKES_PURCHASE, PAID, THREE_PACKS
from tests.stripe_events import checkout_session, refund

NOW = 1_700_000_000
REFUNDED = replace(PAID, refunds={"re_1": Refund(500, "succeeded")})
REFUNDED_IN_FULL = replace(PAID, refunds={"re_1": Refund(1500, "succeeded")})
GOODWILL = replace(PAID, refunds={"re_1": Refund(100, "succeeded")})
PENDING_REFUND = replace(PAID, refunds={"re_1": Refund(500, "pending")})
DISPUTED = replace(PAID, disputes={"du_1": Dispute("needs_response", 1500, NOW)})
REFUNDED_AND_DISPUTED = replace(REFUNDED, disputes=DISPUTED.disputes)


def at_stripe(facts: Facts) -> StripePurchase:
    return StripePurchase(MIKES_PURCHASE, "cs_mike", facts, changed_at=NOW, expires_at=NOW, is_open=False)


def ours(facts: Facts, granted: int) -> Purchase:
    return replace(THREE_PACKS, facts=facts, granted=granted)


def sheet(compared: Comparison) -> tuple[int, int, int, int, int, int]:
    found = balance([compared])
    return (
        found.paid_yen,
        found.refunded_yen,
        found.held_yen,
        found.granted_yen,
        found.outstanding_yen,
        found.unexplained_yen,
    )


@pytest.mark.parametrize(
    ("theirs", "mine", "expected"),
    [
        (Facts(), ours(Facts(), 0), (0, 0, 0, 0, 0, 0)),
        (PAID, ours(PAID, 3), (1500, 0, 0, 1500, 0, 0)),
        (REFUNDED, ours(REFUNDED, 2), (1500, 500, 0, 1000, 0, 0)),
        (REFUNDED_IN_FULL, ours(REFUNDED_IN_FULL, 0), (1500, 1500, 0, 0, 0, 0)),
        (GOODWILL, ours(GOODWILL, 3), (1500, 100, 0, 1400, 0, 0)),
        (PENDING_REFUND, ours(PAID, 3), (1500, 0, 0, 1500, 0, 0)),
        (DISPUTED, ours(DISPUTED, 0), (1500, 0, 1500, 0, 0, 0)),
        (PAID, ours(PAID, 0), (1500, 0, 0, 0, 0, 1500)),
        (PAID, ours(PAID, 1), (1500, 0, 0, 500, 0, 1000)),
        (PAID, ours(PAID, 2), (1500, 0, 0, 1000, 0, 500)),
        (REFUNDED_AND_DISPUTED, ours(REFUNDED_AND_DISPUTED, 0), (1500, 500, 1000, 0, 0, 0)),
        (PAID, ours(Facts(), 0), (1500, 0, 0, 0, 0, 1500)),
        (PAID, None, (1500, 0, 0, 0, 0, 1500)),
        (Facts(), ours(PAID, 3), (0, 0, 0, 0, 0, 1500)),
        (REFUNDED, ours(PAID, 3), (1500, 500, 0, 1000, 0, 500)),
        (DISPUTED, ours(PAID, 3), (1500, 0, 1500, 0, 0, 1500)),
        (GOODWILL, ours(PAID, 3), (1500, 100, 0, 1400, 0, 100)),
        (PAID, ours(REFUNDED, 3), (1500, 0, 0, 1500, 0, 500)),
    ],
)
def test_every_yen_has_its_place(
    theirs: Facts, mine: Purchase | None, expected: tuple[int, int, int, int, int, int]
) -> None:
    compared = Comparison(at_stripe(theirs), mine)
    assert sheet(compared) == expected
    assert bool(compared.differences) == bool(compared.unexplained_yen)


@pytest.mark.parametrize(
    ("theirs", "mine", "outstanding"),
    [
        (PAID, ours(Facts(), 0), 1500),
        (PAID, ours(PAID, 1), 1000),
        (PAID, None, 1500),
        (REFUNDED, ours(PAID, 3), 0),
    ],
)
def test_what_an_event_accounts_for_is_outstanding_and_not_unexplained(
    theirs: Facts, mine: Purchase | None, outstanding: int
) -> None:
    found = balance([Comparison(at_stripe(theirs), mine, explained=True)])
    assert (found.outstanding_yen, found.unexplained_yen) == (outstanding, 0)


@pytest.mark.parametrize("explained", [True, False])
@pytest.mark.parametrize("granted", [0, 1, 2, 3])
@pytest.mark.parametrize(
    "facts", [Facts(), PAID, REFUNDED, REFUNDED_IN_FULL, GOODWILL, DISPUTED, REFUNDED_AND_DISPUTED]
)
def test_what_is_paid_and_kept_is_granted_outstanding_or_unexplained(
    facts: Facts, granted: int, *, explained: bool
) -> None:
    compared = Comparison(at_stripe(facts), ours(facts, granted), explained)
    assert compared.paid_yen - compared.refunded_yen - compared.held_yen == compared.due_yen
    too_much = 0 if explained else max(-compared.missing_packs, 0) * 500
    placed = compared.granted_yen + compared.outstanding_yen + compared.unexplained_yen
    assert compared.due_yen == placed - too_much


def test_differences_that_cancel_out_are_not_lost_in_the_sum() -> None:
    too_little, too_much = (
        Comparison(at_stripe(PAID), ours(PAID, 0)),
        Comparison(at_stripe(Facts()), ours(PAID, 3)),
    )
    assert balance([too_little, too_much]) == BalanceSheet(
        purchases=2,
        paid_yen=1500,
        refunded_yen=0,
        held_yen=0,
        granted_yen=0,
        outstanding_yen=0,
        unexplained_yen=3000,
    )


@pytest.mark.parametrize(
    ("theirs", "mine", "said"),
    [
        (PAID, ours(PAID, 3), []),
        (
            PAID,
            ours(Facts(), 0),
            ["Stripe was paid 1500, we know of 0", "3 packs are due, 0 are granted"],
        ),
        (
            Facts(),
            ours(PAID, 3),
            ["Stripe was paid 0, we know of 1500", "0 packs are due, 3 are granted"],
        ),
        (REFUNDED, ours(PAID, 3), ["Stripe refunded 500, we know of 0", "2 packs are due, 3 are granted"]),
        (PAID, ours(REFUNDED, 2), ["Stripe refunded 0, we know of 500", "3 packs are due, 2 are granted"]),
        (
            DISPUTED,
            ours(PAID, 3),
            ["disputes hold 1500 at Stripe, 0 by what we know", "0 packs are due, 3 are granted"],
        ),
        (
            PAID,
            ours(DISPUTED, 0),
            ["disputes hold 0 at Stripe, 1500 by what we know", "3 packs are due, 0 are granted"],
        ),
        (PAID, None, ["Stripe was paid 1500 for a purchase that we do not have"]),
        (Facts(), None, []),
    ],
)
def test_differences_are_said_in_words(theirs: Facts, mine: Purchase | None, said: list[str]) -> None:
    assert Comparison(at_stripe(theirs), mine).differences == said


@pytest.mark.parametrize("session_id", ["cs_mike", None])
def test_a_session_is_compared_with_its_own_purchase_or_one_that_has_none_yet(session_id: str | None) -> None:
    purchase = replace(ours(PAID, 3), session_id=session_id)
    compared = compare(at_stripe(PAID), purchase)
    assert (compared.purchase, compared.own_session, compared.differences) == (purchase, None, [])


def test_a_purchase_that_we_do_not_have_lacks_no_packs_but_all_its_money() -> None:
    compared = compare(at_stripe(PAID), None)
    assert (compared.purchase, compared.own_session) == (None, None)
    assert (compared.missing_packs, compared.gap_yen) == (0, 1500)


@pytest.mark.parametrize(
    ("facts", "said"),
    [(PAID, ["1500 were paid again, by cs_mike beside cs_the_first"]), (REFUNDED_IN_FULL, []), (Facts(), [])],
)
def test_another_session_for_the_same_purchase_is_money_paid_again(facts: Facts, said: list[str]) -> None:
    compared = compare(at_stripe(facts), replace(ours(PAID, 3), session_id="cs_the_first"))
    assert (compared.purchase, compared.own_session) == (None, "cs_the_first")
    assert compared.differences == said
    assert compared.unexplained_yen == compared.due_yen


def test_what_stripe_says_becomes_facts() -> None:
    charge = {"id": "ch_1", "created": NOW + 10, "amount_refunded": 500, "disputed": True}
    session = checkout_session(THREE_PACKS, payment_intent={"id": "pi_mike", "latest_charge": charge})
    dispute = {
        "id": "du_1",
        "status": "needs_response",
        "amount": 500,
        "currency": "jpy",
        "created": NOW + 30,
    }
    found = stripe_purchase(session, [refund(THREE_PACKS, amount=500, created=NOW + 20)], [dispute])
    assert (found.purchase_id, found.facts.paid, found.facts.refunded) == (MIKES_PURCHASE, 1500, 500)
    assert found.facts.held == 500
    assert found.changed_at == NOW + 30


def test_a_purchase_changed_last_when_the_newest_of_its_objects_was_made() -> None:
    charge = {"id": "ch_1", "created": NOW + 10}
    paid = checkout_session(THREE_PACKS, payment_intent={"id": "pi_mike", "latest_charge": charge})
    unpaid = checkout_session(THREE_PACKS, payment_status="unpaid", payment_intent=None)
    assert stripe_purchase(paid, [], []).changed_at == NOW + 10
    assert stripe_purchase(unpaid, [], []).changed_at == THREE_PACKS.created_at


@pytest.mark.parametrize(("status", "is_open"), [("open", True), ("complete", False), ("expired", False)])
def test_a_session_is_open_only_while_it_says_so(status: str, *, is_open: bool) -> None:
    found = stripe_purchase(checkout_session(THREE_PACKS, status=status, payment_intent=None), [], [])
    assert found.is_open is is_open
    assert found.expires_at == THREE_PACKS.expires_at


@pytest.mark.parametrize(
    ("status", "payment_status", "pending", "closed"),
    [
        ("open", "unpaid", False, None),
        ("complete", "unpaid", True, None),
        ("complete", "no_payment_required", True, None),
        ("expired", "unpaid", False, "expired"),
    ],
)
def test_a_session_without_money_says_why(
    status: str, payment_status: str, *, pending: bool, closed: str | None
) -> None:
    session = checkout_session(THREE_PACKS, status=status, payment_status=payment_status, payment_intent=None)
    facts = stripe_purchase(session, [], []).facts
    assert (facts.paid, facts.pending, facts.closed) == (0, pending, closed)
