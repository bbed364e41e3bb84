"""The ledger: every change of an inventory, and what its lines must sum up to."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from nyanko.purchases import Purchase


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """A line as it is stored; `delta` is a signed count, `at` epoch seconds UTC.

    `event_id` and `execution` are those of the grant, None for a spend.
    """

    player_id: str
    line_id: str
    item_id: str
    delta: int
    reason: str
    at: int
    event_id: str | None = None
    execution: str | None = None

    def is_of(self, purchase_id: str) -> bool:
        return self.line_id.startswith(f"{purchase_id}#")


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


def unequal(lines: Iterable[LedgerRow], held: Mapping[Holding, int]) -> list[Unequal]:
    """Holdings whose lines do not sum up to what is held."""
    summed: Counter[Holding] = Counter()
    for line in lines:
        summed[line.player_id, line.item_id] += line.delta
    return [
        Unequal(*holding, summed[holding], held.get(holding, 0))
        for holding in sorted(summed.keys() | held.keys())
        if summed[holding] != held.get(holding, 0)
    ]


def missing_lines(purchase: Purchase, lines: Iterable[LedgerRow]) -> dict[str, int]:
    """Item id to what the lines of a purchase lack, or have too much (negative), for what was granted."""
    lacking = Counter({item: count * purchase.granted for item, count in purchase.product.items.items()})
    for line in lines:
        if line.is_of(purchase.purchase_id):
            lacking[line.item_id] -= line.delta
    return {item: count for item, count in sorted(lacking.items()) if count}
