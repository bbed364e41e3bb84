"""DynamoDB's request units, by its documented rules."""

from typing import Any

import pytest

from bench.request_units import Index, Table, index_units, item_size, read_units, units_by_index, write_units
from tests.data import MIKE, MIKES_PURCHASE

BY_PLAYER = Index("by_player", ["player_id", "created_at", "purchase_id"], projects_all=False)
WHOLE = Index("whole", ["player_id", "purchase_id"], projects_all=True)


def item(size: int, **attributes: str) -> dict[str, Any]:
    """An item of that many bytes, with these texts among them."""
    texts = {"id": "x", **attributes}
    padding = size - sum(len(name) + len(text) for name, text in texts.items()) - len("pad")
    return {name: {"S": text} for name, text in {**texts, "pad": "p" * padding}.items()}


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": ""}, 0),
        ({"S": "猫"}, 3),
        ({"N": "0"}, 1),
        ({"N": "7"}, 2),
        ({"N": "1700000000"}, 2),
        ({"N": "1700000001"}, 6),
        ({"N": "-42"}, 3),
        ({"B": b"\x00\x01"}, 2),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"L": []}, 3),
        ({"L": [{"S": "ab"}, {"S": "c"}]}, 3 + 2 + 3),
        ({"M": {}}, 3),
        ({"M": {"cat_food": {"N": "10"}}}, 3 + 1 + 8 + 2),
    ],
)
def test_a_value_is_as_large_as_documented(value: dict[str, Any], size: int) -> None:
    assert item_size({"v": value}) == 1 + size


def test_a_name_counts_with_its_value() -> None:
    assert item_size({"event_id": {"S": "evt_1"}}) == len("event_id") + len("evt_1")


@pytest.mark.parametrize(
    ("size", "consistent", "units"),
    [(0, True, 1), (1, True, 1), (4096, True, 1), (4097, True, 2), (0, False, 0.5), (4097, False, 1)],
)
def test_a_read_costs_by_four_kilobytes(size: int, units: float, *, consistent: bool) -> None:
    assert read_units(size, consistent=consistent) == units


@pytest.mark.parametrize(
    ("before", "after", "units"), [(None, 1024, 1), (None, 1025, 2), (4000, 100, 4), (100, 4000, 4)]
)
def test_a_write_costs_by_the_larger_of_the_sizes_before_and_after(
    before: int | None, after: int, units: int
) -> None:
    then, now = item(before) if before else None, item(after)
    assert write_units(then, now) == units
    assert write_units(then, now, in_transaction=True) == 2 * units


def test_deleting_what_is_not_there_costs_a_write() -> None:
    assert write_units(None, None) == 1


def test_an_index_of_keys_is_free_while_the_keys_stay() -> None:
    before = item(1500, player_id=MIKE.player_id, created_at="1", purchase_id=MIKES_PURCHASE)
    assert index_units(BY_PLAYER, None, before) == 1
    assert index_units(BY_PLAYER, before, {**before, "granted": {"N": "3"}}) == 0


def test_an_index_of_everything_is_written_with_every_change() -> None:
    before = item(1500, player_id=MIKE.player_id, purchase_id=MIKES_PURCHASE)
    assert index_units(WHOLE, before, {**before, "granted": {"N": "3"}}) == 2


def test_an_entry_that_moves_is_written_twice_and_one_that_leaves_once() -> None:
    before = item(200, player_id=MIKE.player_id, created_at="1", purchase_id=MIKES_PURCHASE)
    after = {**before, "created_at": {"S": "2"}}
    left = {name: value for name, value in before.items() if name != "created_at"}
    assert index_units(BY_PLAYER, before, after) == 2
    assert index_units(BY_PLAYER, before, left) == 1
    assert index_units(BY_PLAYER, left, left) == 0


def test_a_table_is_read_from_its_schema() -> None:
    schema = {
        "hash_key": "purchase_id",
        "indexes": {
            "by_player": {"hash_key": "player_id", "range_key": "created_at", "projection": "KEYS_ONLY"}
        },
    }
    table = Table.of(schema)
    assert table == Table(["purchase_id"], [BY_PLAYER])
    new = item(200, player_id=MIKE.player_id, created_at="1", purchase_id=MIKES_PURCHASE)
    assert list(units_by_index(table, None, new)) == [("by_player", 1)]
    assert list(units_by_index(table, new, new)) == []


def test_a_type_whose_size_nobody_said_is_refused() -> None:
    with pytest.raises(NotImplementedError, match="SS"):
        item_size({"v": {"SS": ["a"]}})
