"""The table `ledger`, as it is read: grants and spends write it in their transactions."""

from collections.abc import Iterator

from nyanko.adapters.dynamodb_table import Row, Table
from nyanko.ledger import LedgerRow


class Ledger:
    def __init__(self, table: Table) -> None:
        self._table = table

    def all(self) -> Iterator[LedgerRow]:
        """Every player's lines: for operators alone."""
        return (_line(row) for row in self._table.scan())

    def of_player(self, player_id: str) -> list[LedgerRow]:
        rows = self._table.query("player_id = :player_id", {"player_id": player_id})
        return [_line(row) for row in rows]


def _line(row: Row) -> LedgerRow:
    return LedgerRow(
        player_id=row["player_id"],
        line_id=row["line_id"],
        item_id=row["item_id"],
        delta=row["delta"],
        reason=row["reason"],
        at=row["at"],
        event_id=row.get("event_id"),
        execution=row.get("execution"),
    )
