"""What a spend asks for."""

from typing import Any

import pytest

from nyanko.errors import BadInput
from nyanko.spends import Spend, not_enough, read_spend
from tests.data import player_id


def test_a_spend_names_its_item_count_and_id() -> None:
    assert read_spend("cat_food", {"spend_id": "feed-1", "count": 3}) == Spend("feed-1", "cat_food", 3)


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
    ("quantity", "figures"),
    [
        (2, {"quantity": 2, "owed": 0, "shortfall": 1}),
        (0, {"quantity": 0, "owed": 0, "shortfall": 3}),
        (-4, {"quantity": 0, "owed": 4, "shortfall": 7}),
    ],
)
def test_who_has_not_enough_is_told_what_is_missing(quantity: int, figures: dict[str, int]) -> None:
    refusal = not_enough(Spend("feed-1", "cat_food", 3), quantity)
    assert (refusal.code, refusal.figures) == ("NotEnough", figures)
