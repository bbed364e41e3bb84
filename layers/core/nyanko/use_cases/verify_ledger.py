"""Verify the ledger: what its lines sum up to must be what the inventories hold."""

from typing import TYPE_CHECKING

from nyanko.ledger import LedgerRow, Unequal, unequal

if TYPE_CHECKING:
    from nyanko.adapters.dynamodb_inventory import Inventory
    from nyanko.adapters.dynamodb_ledger import Ledger


def verify_ledger(
    player_id: str | None, *, ledger: "Ledger", inventory: "Inventory"
) -> tuple[int, list[Unequal]]:
    """How many holdings there are, and which of them differ; of one player, or of all.

    Players go on meanwhile: what differs is looked at once more; only what differs in the same way counts.
    """
    if player_id is not None:
        lines = ledger.of_player(player_id)
        count, first = _compared(lines, player_id, inventory)
    else:
        lines, held = list(ledger.all()), inventory.all()
        count = len({(line.player_id, line.item_id) for line in lines} | held.keys())
        first = unequal(lines, held)
    again: list[Unequal] = []
    for suspect in sorted({one.player_id for one in first}):
        again += _compared(ledger.of_player(suspect), suspect, inventory)[1]
    return count, [one for one in first if one in again]


def _compared(lines: list[LedgerRow], player_id: str, inventory: "Inventory") -> tuple[int, list[Unequal]]:
    items = inventory.of_player(player_id)
    held = {(player_id, item_id): quantity for item_id, quantity in items.items()}
    return len({(line.player_id, line.item_id) for line in lines} | held.keys()), unequal(lines, held)
