"""The books of the game: lines, inventories, and what was granted for each purchase."""

from dataclasses import replace

import pytest

from nyanko.ledger import Holding, LedgerRow, Unequal, missing_lines, unequal
from tests.data import MIKE, MIKES_PURCHASE, TAMAS_PURCHASE, THREE_PACKS, player_id


def line(
    item_id: str, delta: int, line_id: str = f"{MIKES_PURCHASE}#2#x", player_id: str = MIKE.player_id
) -> LedgerRow:
    return LedgerRow(player_id, line_id, item_id, delta, "purchase", 1_700_000_000)


def held(player_id: str = MIKE.player_id, **quantities: int) -> dict[Holding, int]:
    return {(player_id, item_id): quantity for item_id, quantity in quantities.items()}


def test_lines_that_sum_up_to_the_inventory_are_right() -> None:
    lines = [line("cat_food", 30), line("cat_food", -7, "spend#1"), line("toy_mouse", 3)]
    assert unequal(lines, held(cat_food=23, toy_mouse=3)) == []


def test_debt_is_a_sum_like_any_other() -> None:
    lines = [
        line("cat_food", 10),
        line("cat_food", -10, "spend#1"),
        line("cat_food", -10, f"{MIKES_PURCHASE}#4#x"),
    ]
    assert unequal(lines, held(cat_food=-10)) == []


def test_what_was_wholly_used_up_needs_no_row() -> None:
    assert unequal([line("cat_food", 10), line("cat_food", -10, "spend#1")], {}) == []


@pytest.mark.parametrize(
    ("lines", "rows", "found"),
    [
        ([], held(cat_food=10), Unequal(MIKE.player_id, "cat_food", 0, 10)),
        ([line("cat_food", 10)], {}, Unequal(MIKE.player_id, "cat_food", 10, 0)),
        ([line("cat_food", 10)], held(cat_food=9), Unequal(MIKE.player_id, "cat_food", 10, 9)),
        ([line("cat_food", 10)], held(cat_food=10, a=1), Unequal(MIKE.player_id, "a", 0, 1)),
    ],
)
def test_each_item_that_differs_is_named(
    lines: list[LedgerRow], rows: dict[Holding, int], found: Unequal
) -> None:
    assert unequal(lines, rows) == [found]


def test_players_do_not_make_up_for_each_other() -> None:
    lines = [line("cat_food", 10), line("cat_food", 10, player_id=player_id("tama"))]
    rows = held(cat_food=0) | held(player_id("tama"), cat_food=20)
    assert [one.player_id for one in unequal(lines, rows)] == [MIKE.player_id, player_id("tama")]


def test_a_purchase_lacks_the_lines_that_were_deleted() -> None:
    granted = replace(THREE_PACKS, granted=3)
    lines = [
        line("cat_food", 30),
        line("toy_mouse", 5, f"{TAMAS_PURCHASE}#2#toy_mouse"),
        line("toy_mouse", 1),
    ]
    assert missing_lines(granted, lines) == {"toy_mouse": 2}
    assert missing_lines(granted, [line("cat_food", 30), line("toy_mouse", 3)]) == {}
    assert missing_lines(THREE_PACKS, [line("cat_food", 30)]) == {"cat_food": -30}
