"""Stripe's records against ours, case by case: who is owed what, and what nobody can explain."""

from dataclasses import replace

import pytest

from nyanko.facts import Dispute, Facts, Refund
from nyanko.purchases import Purchase
from nyanko.reconciliation import (
    MEMORY_SECONDS,
    SETTLED_SECONDS,
    WINDOW_SECONDS,
    Case,
    Fate,
    Sheet,
    Truth,
    Walk,
    balance,
    fate,
    truth,
)
from tests.data import MIKES_PURCHASE, PAID, THREE_PACKS
from tests.stripe_events import checkout_session, refund

NOW = 1_700_000_000
REFUNDED = replace(PAID, refunds={"re_1": Refund(500, "succeeded")})
REFUNDED_IN_FULL = replace(PAID, refunds={"re_1": Refund(1500, "succeeded")})
GOODWILL = replace(PAID, refunds={"re_1": Refund(100, "succeeded")})
PENDING_REFUND = replace(PAID, refunds={"re_1": Refund(500, "pending")})
DISPUTED = replace(PAID, disputes={"du_1": Dispute("needs_response", NOW)})


def at_stripe(facts: Facts) -> Truth:
    return Truth(MIKES_PURCHASE, "cs_mike", facts, changed_at=NOW, expires_at=NOW, open=False)


def ours(facts: Facts, granted: int) -> Purchase:
    return replace(THREE_PACKS, facts=facts, granted=granted)


def sheet(case: Case) -> tuple[int, int, int, int, int, int]:
    found = balance([case])
    return found.paid, found.refunded, found.held, found.granted, found.owed, found.unexplained


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
    case = Case(at_stripe(theirs), mine)
    assert sheet(case) == expected
    assert bool(case.differences) == bool(case.unexplained)


@pytest.mark.parametrize(
    ("theirs", "mine", "owed"),
    [
        (PAID, ours(Facts(), 0), 1500),
        (PAID, ours(PAID, 1), 1000),
        (PAID, None, 1500),
        (REFUNDED, ours(PAID, 3), 0),
    ],
)
def test_what_an_event_accounts_for_is_owed_and_not_unexplained(
    theirs: Facts, mine: Purchase | None, owed: int
) -> None:
    found = balance([Case(at_stripe(theirs), mine, accounted=True)])
    assert (found.owed, found.unexplained) == (owed, 0)


@pytest.mark.parametrize("accounted", [True, False])
@pytest.mark.parametrize("granted", [0, 1, 2, 3])
@pytest.mark.parametrize("facts", [Facts(), PAID, REFUNDED, REFUNDED_IN_FULL, GOODWILL, DISPUTED])
def test_what_is_paid_and_kept_is_granted_owed_or_unexplained(
    facts: Facts, granted: int, *, accounted: bool
) -> None:
    case = Case(at_stripe(facts), ours(facts, granted), accounted)
    assert case.paid - case.refunded - case.held == case.due
    too_much = max(-case.short, 0) * 500
    assert case.due == case.granted + case.owed + case.unexplained - (0 if accounted else too_much)


def test_differences_that_cancel_out_are_not_lost_in_the_sum() -> None:
    too_little, too_much = Case(at_stripe(PAID), ours(PAID, 0)), Case(at_stripe(Facts()), ours(PAID, 3))
    assert balance([too_little, too_much]) == Sheet(
        purchases=2, paid=1500, refunded=0, held=0, granted=0, owed=0, unexplained=3000
    )


def test_differences_are_said_in_words() -> None:
    assert Case(at_stripe(REFUNDED), ours(PAID, 3)).differences == [
        "Stripe refunded 500, we know of 0",
        "2 packs are due, 3 are granted",
    ]
    assert Case(at_stripe(DISPUTED), ours(PAID, 3)).differences == [
        "it is held by a dispute at Stripe, unlike here",
        "0 packs are due, 3 are granted",
    ]


@pytest.mark.parametrize(
    ("row", "status", "expected"),
    [
        (None, None, "missing"),
        ({"state": "applied", "execution": "evt_mike"}, None, "finished"),
        ({"state": "ignored", "execution": "evt_mike"}, None, "finished"),
        ({"state": "parked", "execution": "evt_mike"}, "FAILED", "parked"),
        ({"state": "claimed", "execution": "evt_mike"}, "RUNNING", "on its way"),
        ({"state": "claimed", "execution": "evt_mike"}, "ABORTED", "stuck"),
        ({"state": "claimed", "execution": "evt_mike"}, None, "stuck"),
    ],
)
def test_an_event_has_one_fate(row: dict[str, str] | None, status: str | None, expected: Fate) -> None:
    assert fate(row, lambda _: status) == expected


def test_what_stripe_says_becomes_facts() -> None:
    charge = {"id": "ch_1", "created": NOW + 10, "amount_refunded": 500, "disputed": True}
    session = checkout_session(THREE_PACKS, payment_intent={"id": "pi_mike", "latest_charge": charge})
    dispute = {"id": "du_1", "status": "needs_response", "created": NOW + 30}
    found = truth(session, [refund(THREE_PACKS, amount=500, created=NOW + 20)], [dispute])
    assert (found.purchase_id, found.facts.paid, found.facts.refunded) == (MIKES_PURCHASE, 1500, 500)
    assert found.facts.held
    assert found.changed_at == NOW + 30


@pytest.mark.parametrize(
    ("status", "payment_status", "pending", "closed"),
    [
        ("open", "unpaid", False, None),
        ("complete", "unpaid", True, None),
        ("expired", "unpaid", False, "expired"),
    ],
)
def test_a_session_without_money_says_why(
    status: str, payment_status: str, *, pending: bool, closed: str | None
) -> None:
    session = checkout_session(THREE_PACKS, status=status, payment_status=payment_status, payment_intent=None)
    facts = truth(session, [], []).facts
    assert (facts.paid, facts.pending, facts.closed) == (0, pending, closed)


def test_a_first_walk_looks_back_a_day() -> None:
    assert Walk.resume(None, NOW) == Walk(NOW - WINDOW_SECONDS, NOW - SETTLED_SECONDS)


@pytest.mark.parametrize(
    ("until", "since"),
    [
        (NOW - 60, NOW - WINDOW_SECONDS),
        (NOW - 3 * WINDOW_SECONDS, NOW - 3 * WINDOW_SECONDS),
        (NOW - 2 * MEMORY_SECONDS, NOW - MEMORY_SECONDS),
    ],
)
def test_a_walk_begins_where_the_last_one_ended_but_not_before_stripe_remembers(
    until: int, since: int
) -> None:
    done = {"since": 0, "until": until, "listing": "done"}
    assert Walk.resume(done, NOW).since == since


def test_a_walk_goes_through_events_then_sessions_page_by_page() -> None:
    walk = Walk(1, 2)
    assert (walk := walk.past([{"id": "evt_2"}, {"id": "evt_1"}])) == Walk(1, 2, "events", "evt_1")
    assert Walk.resume(walk.to_dict(), NOW) == walk
    assert (walk := walk.past([])) == Walk(1, 2, "sessions")
    assert (walk := walk.past([{"id": "cs_1"}])) == Walk(1, 2, "sessions", "cs_1")
    assert walk.past([]) == Walk(1, 2, "done")
