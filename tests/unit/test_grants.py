"""What a grant changes, writes into the ledger and tells the player."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyanko.facts import Facts, Refund
from nyanko.grants import Grant, Line, converge
from tests.data import MIKES_PURCHASE, PAID, STARTER_PACK, THREE_PACKS
from tests.strategies import facts

NOW = 1_700_000_100
REFUNDED_ONE = replace(PAID, refunds={"re_mike": Refund(500, "succeeded")})


def due(facts: Facts, granted: int) -> Grant:
    return converge(replace(THREE_PACKS, facts=facts, granted=granted, version=6), NOW)


@pytest.mark.parametrize(
    ("facts", "granted", "packs", "items", "yen"),
    [
        (PAID, 0, 3, {"cat_food": 30, "toy_mouse": 3}, 1500),
        (PAID, 2, 1, {"cat_food": 10, "toy_mouse": 1}, 500),
        (REFUNDED_ONE, 3, -1, {"cat_food": -10, "toy_mouse": -1}, 500),
        (Facts(), 3, -3, {"cat_food": -30, "toy_mouse": -3}, 1500),
    ],
)
def test_a_grant_gives_what_is_missing_or_takes_back_what_is_too_much(
    facts: Facts, granted: int, packs: int, items: Mapping[str, int], yen: int
) -> None:
    grant = due(facts, granted)
    assert (grant.packs, grant.items, grant.yen, grant.nothing_due) == (packs, items, yen, False)


def test_a_grant_is_one_version_of_the_purchase_and_dates_it() -> None:
    grant = due(PAID, 0)
    assert (grant.before.granted, grant.after.granted) == (0, 3)
    assert (grant.before.version, grant.after.version) == (6, 7)
    assert grant.after.updated_at == NOW


@pytest.mark.parametrize(("facts", "granted"), [(Facts(), 0), (PAID, 3), (REFUNDED_ONE, 2)])
def test_nothing_due_changes_nothing(facts: Facts, granted: int) -> None:
    grant = due(facts, granted)
    assert grant.nothing_due
    assert grant.after == grant.before
    assert (grant.packs, grant.yen, grant.items, grant.lines) == (0, 0, {}, [])


@pytest.mark.parametrize(
    ("facts", "granted", "sign", "reason"), [(PAID, 2, 1, "purchase"), (REFUNDED_ONE, 3, -1, "reversal")]
)
def test_each_item_has_a_line_that_says_whether_it_was_bought_or_taken_back(
    facts: Facts, granted: int, sign: int, reason: str
) -> None:
    assert due(facts, granted).lines == [
        Line(f"{MIKES_PURCHASE}#7#cat_food", "cat_food", sign * 10, reason),
        Line(f"{MIKES_PURCHASE}#7#toy_mouse", "toy_mouse", sign, reason),
    ]


def test_the_player_is_told_how_the_inventory_changed() -> None:
    assert due(PAID, 2).notice == {
        "type": "purchase.updated",
        "purchase_id": MIKES_PURCHASE,
        "status": "granted",
        "items": {"cat_food": 10, "toy_mouse": 1},
    }


@given(facts, st.integers(0, 3))
def test_the_lines_of_a_grant_are_its_packs_item_by_item(facts: Facts, granted: int) -> None:
    grant = due(facts, granted)
    told = {line.item_id: line.delta for line in grant.lines}
    assert told == {item: count * grant.packs for item, count in STARTER_PACK.items.items() if grant.packs}
    assert grant.yen == abs(grant.after.granted - granted) * STARTER_PACK.unit_amount
