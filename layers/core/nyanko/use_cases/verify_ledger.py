"""Verify the ledger: what its lines sum up to must be what the inventories hold."""

from typing import TYPE_CHECKING

from nyanko.ledger import Holding, LedgerRow, Unequal, unequal

if TYPE_CHECKING:
    from nyanko.adapters.dynamodb_inventory import Inventory
    from nyanko.adapters.dynamodb_ledger import Ledger


def verify_ledger(
    player_id: str | None, *, ledger: "Ledger", inventory: "Inventory"
) -> tuple[int, list[Unequal]]:
    """How many holdings there are, and which of them differ; of one player, or of all.

    Players go on meanwhile: what differs is looked at once more; only what differs in the same way counts.
    """

    def books(of: str | None) -> tuple[list[LedgerRow], dict[Holding, int]]:
        if of is None:
            return list(ledger.all()), inventory.all()
        lines, items = ledger.of_player(of), inventory.of_player(of)
        return lines, {(of, item_id): quantity for item_id, quantity in items.items()}

    lines, held = books(player_id)
    first = unequal(lines, held)
    again = [one for suspect in {one.player_id for one in first} for one in unequal(*books(suspect))]
    holdings = {(line.player_id, line.item_id) for line in lines} | held.keys()
    return len(holdings), [one for one in first if one in again]
