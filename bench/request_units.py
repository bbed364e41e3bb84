"""DynamoDB's request units, from the items themselves.

The rules for sizes, for reads and writes, and for indexes:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.ThroughputConsiderations
Items are as the API has them: attribute name to `{"S": …}`, `{"N": …}` and so on. A missing item is None.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

Item = Mapping[str, Mapping[str, Any]]

WRITE_BYTES = 1024
READ_BYTES = 4096
TRANSACTION = 2
"""A transaction prepares every item and then commits it. What it changes in indexes follows once."""


@dataclass(frozen=True, slots=True)
class Index:
    """`keys` are its own keys and the table's; `projects_all` is projection ALL, else KEYS_ONLY."""

    name: str
    keys: Sequence[str]
    projects_all: bool


@dataclass(frozen=True, slots=True)
class Table:
    """`keys` are the hash key and the range key, if it has one."""

    keys: Sequence[str]
    indexes: Sequence[Index] = ()

    @classmethod
    def of(cls, schema: Mapping[str, Any]) -> "Table":
        """From an entry of terraform/modules/data/tables.json."""
        keys = _keys(schema)
        indexes = [
            Index(name, list(dict.fromkeys([*_keys(index), *keys])), index["projection"] == "ALL")
            for name, index in schema.get("indexes", {}).items()
        ]
        return cls(keys, indexes)


def item_size(item: Item) -> int:
    """In bytes, of names and values."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def read_units(size: int, *, consistent: bool) -> float:
    """Of an item, or of all that a query reads; nothing found costs as much as the least that is found."""
    return max(ceil(size / READ_BYTES), 1) / (1 if consistent else 2)


def write_units(before: Item | None, after: Item | None, *, in_transaction: bool = False) -> int:
    """Of putting, updating or deleting an item, which its larger size decides."""
    size = max(item_size(item) for item in (before or {}, after or {}))
    return max(ceil(size / WRITE_BYTES), 1) * (TRANSACTION if in_transaction else 1)


def index_units(index: Index, before: Item | None, after: Item | None) -> int:
    """Of keeping an index up to date: an entry that moves is deleted and put, an unchanged one is free."""
    old, new = _entry(index, before), _entry(index, after)
    if old == new:
        return 0
    if old and new and [old[key] for key in index.keys] == [new[key] for key in index.keys]:
        return write_units(old, new)
    return sum(write_units(entry, None) for entry in (old, new) if entry)


def units_by_index(table: Table, before: Item | None, after: Item | None) -> Iterator[tuple[str, int]]:
    """Each index that a write changes, and the units of that."""
    for index in table.indexes:
        if units := index_units(index, before, after):
            yield index.name, units


def _keys(schema: Mapping[str, Any]) -> list[str]:
    return [schema[key] for key in ("hash_key", "range_key") if key in schema]


def _entry(index: Index, item: Item | None) -> Item | None:
    """The index is sparse: an item without one of its keys has no entry."""
    if item is None or any(key not in item for key in index.keys):
        return None
    return item if index.projects_all else {key: item[key] for key in index.keys}


def _value_size(value: Mapping[str, Any]) -> int:
    [(kind, held)] = value.items()
    match kind:
        case "S":
            return len(held.encode())
        case "N":
            digits = str(held).lstrip("-").replace(".", "").strip("0")
            return ceil(len(digits) / 2) + 1 + int(held.startswith("-"))
        case "B":
            return len(held)
        case "BOOL" | "NULL":
            return 1
        case "L":
            return 3 + sum(1 + _value_size(element) for element in held)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value_size(inner) for name, inner in held.items())
        case _:
            raise NotImplementedError(f"say here how large a value of type {kind} is")
