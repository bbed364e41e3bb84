"""The table `limits`: for each player and limit, the purchases that may count towards it.

A list is written with the purchase that is new on it (`Purchases.create`).
"""

from nyanko.adapters.dynamodb_table import Table
from nyanko.limits import LimitList


class Limits:
    def __init__(self, table: Table) -> None:
        self._table = table

    def read(self, player_id: str, scope: str) -> LimitList:
        row = self._table.get({"player_id": player_id, "scope": scope})
        return LimitList(**row) if row else LimitList(player_id, scope)
