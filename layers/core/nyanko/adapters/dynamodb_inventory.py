"""The table `inventory`: what the player holds. It grows by grants and shrinks by spends, each in one
transaction with its line in `ledger`, so that the lines always sum up to the quantity.
"""

from typing import TYPE_CHECKING

from nyanko.adapters.aws_errors import aws_errors
from nyanko.adapters.dynamodb import from_item, to_item
from nyanko.adapters.dynamodb_table import Tables
from nyanko.errors import BadInput, Retryable
from nyanko.ledger import Holding
from nyanko.spends import Spend, not_enough

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

ENOUGH_IS_LEFT = "quantity >= :count"
SPEND_IS_NEW = "attribute_not_exists(line_id)"
CONDITION_FAILED = "ConditionalCheckFailed"


class Inventory:
    def __init__(self, tables: Tables) -> None:
        self._table = tables("inventory")
        self._ledger = tables("ledger").name

    def of_player(self, player_id: str) -> dict[str, int]:
        """Item id to quantity; a negative quantity is debt."""
        rows = self._table.query("player_id = :player_id", {"player_id": player_id})
        return {row["item_id"]: row["quantity"] for row in rows}

    def all(self) -> dict[Holding, int]:
        """Every player's holdings: for operators alone."""
        return {(row["player_id"], row["item_id"]): row["quantity"] for row in self._table.scan()}

    def quantity(self, player_id: str, item_id: str) -> int:
        row = self._table.get({"player_id": player_id, "item_id": item_id})
        return int(row["quantity"]) if row else 0

    def spend(self, player_id: str, spend: Spend, now: int) -> None:
        """Take the items out of the inventory, once for each spend id.

        Raises `BadInput`: `NotEnough`, or `IdempotencyMismatch` if the spend id took something else before;
        `Retryable` (`Conflict`) when others write the same rows at this moment.
        """
        line = {
            "player_id": player_id,
            "line_id": spend.line_id,
            "item_id": spend.item_id,
            "delta": -spend.count,
            "reason": "spend",
            "at": now,
        }
        writes: list[TransactWriteItemTypeDef] = [
            {
                "Put": {
                    "TableName": self._ledger,
                    "Item": to_item(line),
                    "ConditionExpression": SPEND_IS_NEW,
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                }
            },
            {
                "Update": {
                    "TableName": self._table.name,
                    "Key": to_item({"player_id": player_id, "item_id": spend.item_id}),
                    "UpdateExpression": "SET updated_at = :now, quantity = quantity - :count",
                    "ConditionExpression": ENOUGH_IS_LEFT,
                    "ExpressionAttributeValues": to_item({":count": spend.count, ":now": now}),
                }
            },
        ]
        client = self._table.client
        try:
            with aws_errors("DynamoDB"):
                client.transact_write_items(TransactItems=writes)
        except client.exceptions.TransactionCanceledException as error:
            spent, left = error.response["CancellationReasons"]
            if spent["Code"] == CONDITION_FAILED:
                before = from_item(spent["Item"])  # type: ignore[arg-type] # the stubs know two kinds of items
                if (before["item_id"], before["delta"]) == (spend.item_id, -spend.count):
                    return
                raise BadInput(
                    "IdempotencyMismatch",
                    f"spend_id {spend.spend_id} took {-before['delta']} of {before['item_id']} before",
                ) from error
            if left["Code"] == CONDITION_FAILED:
                raise not_enough(spend, self.quantity(player_id, spend.item_id)) from error
            raise Retryable("Conflict", f"{spend.item_id} is being changed; send it again") from error
