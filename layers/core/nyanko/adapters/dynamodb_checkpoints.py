"""The table `checkpoints`: how far work has come that may take more than one run."""

from collections.abc import Mapping
from typing import Any

from nyanko.adapters.dynamodb_table import Row, Table


class Checkpoints:
    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, name: str) -> Row | None:
        return self._table.get({"name": name})

    def put(self, name: str, progress: Mapping[str, Any]) -> None:
        self._table.put({"name": name, **progress})
