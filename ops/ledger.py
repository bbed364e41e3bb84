"""The books of the game: what the ledger's lines sum up to must be what the inventories hold."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nyanko.purchases import Purchase
from ops import tables
from ops.stages import Stage

Holding = tuple[str, str]
"""A player and an item."""


@dataclass(frozen=True, slots=True)
class Unequal:
    """An item of a player's whose lines do not sum up to what the inventory holds."""

    player_id: str
    item_id: str
    ledger: int
    inventory: int

    def __str__(self) -> str:
        return (
            f"{self.item_id} of {self.player_id}: the ledger's lines sum up to {self.ledger}, "
            f"the inventory holds {self.inventory}"
        )


def verify(stage: Stage, player_id: str | None = None) -> tuple[int, list[Unequal]]:
    """How many holdings there are, and which of them differ; of one player, or of all.

    Players go on meanwhile: what differs is looked at once more; only what differs in the same way counts.
    """
    lines, rows = tables.ledger(stage, player_id), tables.inventory(stage, player_id)
    holdings = {(row["player_id"], row["item_id"]) for row in (*lines, *rows)}
    first = unequal(lines, rows)
    again: list[Unequal] = []
    for suspect in sorted({one.player_id for one in first}):
        again += unequal(tables.ledger(stage, suspect), tables.inventory(stage, suspect))
    return len(holdings), [one for one in first if one in again]


def unequal(lines: Iterable[Mapping[str, Any]], rows: Iterable[Mapping[str, Any]]) -> list[Unequal]:
    summed: Counter[Holding] = Counter()
    for line in lines:
        summed[line["player_id"], line["item_id"]] += line["delta"]
    held = {(row["player_id"], row["item_id"]): row["quantity"] for row in rows}
    return [
        Unequal(holding[0], holding[1], summed[holding], held.get(holding, 0))
        for holding in sorted(summed.keys() | held.keys())
        if summed[holding] != held.get(holding, 0)
    ]


def missing_lines(purchase: Purchase, lines: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Item id to what the lines of a purchase lack, or have too much (negative), for what was granted."""
    lacking = Counter({item: count * purchase.granted for item, count in purchase.product.items.items()})
    for line in lines:
        if line["line_id"].startswith(f"{purchase.purchase_id}#"):
            lacking[line["item_id"]] -= line["delta"]
    return {item: count for item, count in sorted(lacking.items()) if count}
