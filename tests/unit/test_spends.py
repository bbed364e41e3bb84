"""What a spend asks for."""

from typing import Any

import pytest

from nyanko.errors import BadInput
from nyanko.spends import Spend, not_enough, read_spend
from tests.data import player_id


def test_a_spend_names_its_item_count_and_id() -> None:
    assert read_spend("cat_food", {"spend_id": "feed-1", "count": 3}) == Spend("feed-1", "cat_food", 3)


@pytest.mark.parametrize("count", [1, 1_000_000])
def test_one_to_a_million_can_be_spent_at_once(count: int) -> None:
    assert read_spend("cat_food", {"spend_id": "feed-1", "count": count}).count == count


def test_the_ledger_line_of_a_spend_has_its_id_so_that_a_repetition_finds_it() -> None:
    assert Spend("feed-1", "cat_food", 3).line_id == "spend#feed-1"


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"count": 1},
        {"spend_id": "feed-1"},
        {"spend_id": "", "count": 1},
        {"spend_id": "f" * 65, "count": 1},
        {"spend_id": "feed#1", "count": 1},
        {"spend_id": "餌", "count": 1},
        {"spend_id": 1, "count": 1},
        {"spend_id": "feed-1", "count": 0},
        {"spend_id": "feed-1", "count": -5},
        {"spend_id": "feed-1", "count": 1.0},
        {"spend_id": "feed-1", "count": "1"},
        {"spend_id": "feed-1", "count": True},
        {"spend_id": "feed-1", "count": 1_000_001},
        {"spend_id": "feed-1", "count": 1, "player_id": player_id("tama")},
    ],
)
def test_anything_else_is_refused(body: Any) -> None:
    with pytest.raises(BadInput, match="InvalidRequest"):
        read_spend("cat_food", body)


@pytest.mark.parametrize(
    ("quantity", "figures", "said"),
    [
        (2, {"quantity": 2, "owed": 0, "shortfall": 1}, "you have 2 of cat_food, not 3"),
        (0, {"quantity": 0, "owed": 0, "shortfall": 3}, "you have 0 of cat_food, not 3"),
        (-1, {"quantity": 0, "owed": 1, "shortfall": 4}, "you have 0 of cat_food, not 3, and owe 1"),
        (-4, {"quantity": 0, "owed": 4, "shortfall": 7}, "you have 0 of cat_food, not 3, and owe 4"),
    ],
)
def test_who_has_not_enough_is_told_what_is_missing(
    quantity: int, figures: dict[str, int], said: str
) -> None:
    refusal = not_enough(Spend("feed-1", "cat_food", 3), quantity)
    assert (refusal.code, refusal.figures, refusal.message) == ("NotEnough", figures, said)
