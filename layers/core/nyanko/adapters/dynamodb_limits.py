"""The table `limits`: for each player and limit, the purchases that may count towards it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nyanko.adapters.dynamodb import to_item
from nyanko.adapters.dynamodb_table import Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

LIST_IS_UNCHANGED = "version = :version"
LIST_IS_NEW = "attribute_not_exists(version)"


@dataclass(frozen=True, slots=True)
class LimitList:
    player_id: str
    scope: str
    purchase_ids: Sequence[str] = ()
    version: int = 0


class Limits:
    def __init__(self, table: Table) -> None:
        self._table = table

    def read(self, player_id: str, scope: str) -> LimitList:
        row = self._table.get({"player_id": player_id, "scope": scope})
        return (
            LimitList(player_id, scope, row["purchase_ids"], row["version"])
            if row
            else LimitList(player_id, scope)
        )

    def write(self, read: LimitList, purchase_ids: Sequence[str]) -> "TransactWriteItemTypeDef":
        """The write that puts these purchases on the list, for the transaction that creates the new one."""
        return {
            "Update": {
                "TableName": self._table.name,
                "Key": to_item({"player_id": read.player_id, "scope": read.scope}),
                "UpdateExpression": "SET purchase_ids = :purchase_ids, version = :next",
                "ConditionExpression": LIST_IS_UNCHANGED if read.version else LIST_IS_NEW,
                "ExpressionAttributeValues": to_item(
                    {
                        ":purchase_ids": list(purchase_ids),
                        ":next": read.version + 1,
                        ":version": read.version or None,
                    }
                ),
            }
        }
