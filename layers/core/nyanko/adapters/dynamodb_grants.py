"""The grant: purchase, inventory, ledger and event in one transaction, or none of them.

  recorded purchase ── facts, granted, version ──┐
                                                 ▼
                                   converge: packs due − granted
                                                 │
        TransactWriteItems  ┌────────────────────┴─────────────────────┐
          purchases   granted, version + 1      if version is unchanged
          inventory   quantity + count          one per item
          ledger      line of that count        if the line is new, one per item
          events      applied                   if it has a row
                            └──────────────────────────────────────────┘

Whoever loses the race on `version` reads the purchase, and finds less to do or nothing.
"""

from dataclasses import asdict
from typing import TYPE_CHECKING

from nyanko.adapters.aws_errors import aws_errors
from nyanko.adapters.dynamodb import to_item
from nyanko.adapters.dynamodb_events import APPLY, EVENT_EXISTS, STATE
from nyanko.adapters.dynamodb_purchases import VERSION_IS_UNCHANGED
from nyanko.adapters.dynamodb_table import Tables
from nyanko.event_rows import APPLIED
from nyanko.grants import Grant, Line
from nyanko.purchases import Purchase

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

LINE_IS_NEW = "attribute_not_exists(line_id)"


class Grants:
    def __init__(self, tables: Tables) -> None:
        self._ledger = tables("ledger")
        self._purchases = tables("purchases").name
        self._inventory = tables("inventory").name
        self._events = tables("events").name

    def apply(self, grant: Grant, event_id: str, execution: str, now: int) -> bool:
        """Apply a grant that is not empty; False if the purchase has changed: read it and converge again."""
        writes = [
            self._purchase(grant),
            *(self._item(grant, item_id, count, now) for item_id, count in grant.items.items()),
            *(self._line(grant, line, event_id, execution, now) for line in grant.lines),
            self._event(grant, event_id, now),
        ]
        client = self._ledger.client
        try:
            with aws_errors("DynamoDB"):
                client.transact_write_items(TransactItems=writes)
        except client.exceptions.TransactionCanceledException:
            # Every way to be cancelled ends well by reading again: a lost race, a conflict with a running
            # transaction, throttling.
            return False
        return True

    def items_of(self, purchase: Purchase) -> dict[str, int]:
        """Item id to the signed count by which the inventory changed with this version of the purchase."""
        lines = self._ledger.query(
            "player_id = :player_id AND begins_with(line_id, :line_ids)",
            {
                "player_id": purchase.player_id,
                "line_ids": f"{purchase.purchase_id}#{purchase.version}#",
            },
        )
        return {line["item_id"]: line["delta"] for line in lines}

    def _purchase(self, grant: Grant) -> "TransactWriteItemTypeDef":
        return {
            "Update": {
                "TableName": self._purchases,
                "Key": to_item({"purchase_id": grant.before.purchase_id}),
                "UpdateExpression": "SET granted = :granted, version = :next, updated_at = :now",
                "ConditionExpression": VERSION_IS_UNCHANGED,
                "ExpressionAttributeValues": to_item(
                    {
                        ":granted": grant.after.granted,
                        ":version": grant.before.version,
                        ":next": grant.after.version,
                        ":now": grant.after.updated_at,
                    }
                ),
            }
        }

    def _item(self, grant: Grant, item_id: str, count: int, now: int) -> "TransactWriteItemTypeDef":
        return {
            "Update": {
                "TableName": self._inventory,
                "Key": to_item({"player_id": grant.before.player_id, "item_id": item_id}),
                "UpdateExpression": "SET updated_at = :now ADD quantity :count",
                "ExpressionAttributeValues": to_item({":count": count, ":now": now}),
            }
        }

    def _line(
        self, grant: Grant, line: Line, event_id: str, execution: str, now: int
    ) -> "TransactWriteItemTypeDef":
        return {
            "Put": {
                "TableName": self._ledger.name,
                "Item": to_item(
                    {
                        "player_id": grant.after.player_id,
                        **asdict(line),
                        "event_id": event_id,
                        "execution": execution,
                        "at": now,
                    }
                ),
                "ConditionExpression": LINE_IS_NEW,
            }
        }

    def _event(self, grant: Grant, event_id: str, now: int) -> "TransactWriteItemTypeDef":
        return {
            "Update": {
                "TableName": self._events,
                "Key": to_item({"event_id": event_id}),
                "UpdateExpression": APPLY,
                "ConditionExpression": EVENT_EXISTS,
                "ExpressionAttributeNames": STATE,
                "ExpressionAttributeValues": to_item(
                    {":applied": APPLIED, ":purchase_id": grant.before.purchase_id, ":now": now}
                ),
            }
        }
