"""The table `purchases`: the only writer of purchase rows but for the grant's transaction, and of the lists
of limits that a new purchase falls under."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from nyanko.adapters.aws_errors import aws_errors
from nyanko.adapters.dynamodb import from_item, to_item
from nyanko.adapters.dynamodb_table import ConditionFailed, Row, Tables
from nyanko.errors import Retryable
from nyanko.facts import Facts
from nyanko.pages import Page, Position
from nyanko.purchases import Purchase, PurchaseJson, with_facts

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from nyanko.limits import LimitList

PURCHASE_IS_NEW = "attribute_not_exists(purchase_id)"
PURCHASE_EXISTS = "attribute_exists(purchase_id)"
VERSION_IS_UNCHANGED = "version = :version"
LIST_IS_NEW = "attribute_not_exists(version)"


class Purchases:
    def __init__(self, tables: Tables) -> None:
        self._table = tables("purchases")
        self._limits = tables("limits").name

    def create(self, purchase: Purchase, lists: "Sequence[LimitList]") -> bool:
        """Write the purchase and, in the same transaction, the lists of the limits that it falls under.

        False when another checkout was faster: the id is taken or a list changed. Read and check again.
        """
        new: TransactWriteItemTypeDef = {
            "Put": {
                "TableName": self._table.name,
                "Item": to_item(_row(purchase)),
                "ConditionExpression": PURCHASE_IS_NEW,
            }
        }
        client = self._table.client
        try:
            with aws_errors("DynamoDB"):
                client.transact_write_items(TransactItems=[new, *map(self._list, lists)])
        except client.exceptions.TransactionCanceledException:
            return False
        return True

    def get(self, purchase_id: str) -> Purchase | None:
        row = self._table.get({"purchase_id": purchase_id})
        return _purchase(row) if row else None

    def get_many(self, purchase_ids: Sequence[str]) -> list[Purchase]:
        """Those of the purchases that exist, in no particular order, each once."""
        rows = self._table.get_many([{"purchase_id": purchase_id} for purchase_id in purchase_ids])
        return [_purchase(row) for row in rows]

    def all(self) -> Iterator[Purchase]:
        """Every player's purchases: for operators alone."""
        return (_purchase(row) for row in self._table.scan())

    def attach_session(self, purchase: Purchase, session_id: str, url: str) -> Purchase:
        """Keep the Checkout Session that was opened for the purchase; facts and version stay as they are."""
        self._table.update(
            {"purchase_id": purchase.purchase_id},
            "SET session_id = :session_id, #url = :url",
            {"session_id": session_id, "url": url},
            condition=PURCHASE_EXISTS,
            names={"#url": "url"},
        )
        return replace(purchase, session_id=session_id, url=url)

    def record(self, purchase: Purchase, facts: Facts, now: int) -> Purchase:
        """Store the merged facts, and the session, under the condition that nobody else changed the purchase
        since it was read.

        Raises `Retryable` (`Conflict`) if somebody did: read again, merge again.
        """
        recorded = with_facts(purchase, facts, now)
        known = {"payment_intent": facts.payment_intent, "session_id": purchase.session_id}
        keep_known = "".join(f", {name} = :{name}" for name, value in known.items() if value is not None)
        try:
            self._table.update(
                {"purchase_id": purchase.purchase_id},
                f"SET facts = :facts, version = :next, updated_at = :now{keep_known}",
                {
                    "facts": facts.to_dict(),
                    "version": purchase.version,
                    "next": recorded.version,
                    "now": now,
                    **known,
                },
                condition=VERSION_IS_UNCHANGED,
            )
        except ConditionFailed as error:
            raise Retryable("Conflict", f"{purchase.purchase_id} changed since it was read") from error
        return recorded

    def of_player(self, player_id: str, page: Page) -> tuple[list[Purchase], Position | None]:
        """A page of the player's purchases, newest first, and where the next page starts.

        The index has the keys alone: a purchase changes more often than its player lists it.
        """
        start: Any = (
            {"ExclusiveStartKey": to_item({"player_id": player_id, **page.after})} if page.after else {}
        )
        with aws_errors("DynamoDB"):
            found = self._table.client.query(
                TableName=self._table.name,
                IndexName="by_player",
                KeyConditionExpression="player_id = :player_id",
                ExpressionAttributeValues=to_item({":player_id": player_id}),
                ScanIndexForward=False,
                Limit=page.limit,
                **start,
            )
        in_order = [from_item(item)["purchase_id"] for item in found["Items"]]
        by_id = {purchase.purchase_id: purchase for purchase in self.get_many(in_order)}
        purchases = [by_id[purchase_id] for purchase_id in in_order if purchase_id in by_id]
        if "LastEvaluatedKey" not in found:
            return purchases, None
        last = from_item(found["LastEvaluatedKey"])
        return purchases, {"purchase_id": last["purchase_id"], "created_at": last["created_at"]}

    def id_by_payment_intent(self, payment_intent: str) -> str | None:
        rows = self._table.query(
            "payment_intent = :payment_intent",
            {"payment_intent": payment_intent},
            IndexName="by_payment_intent",
        )
        return next((row["purchase_id"] for row in rows), None)

    def _list(self, listed: "LimitList") -> "TransactWriteItemTypeDef":
        before = listed.version - 1
        return {
            "Update": {
                "TableName": self._limits,
                "Key": to_item({"player_id": listed.player_id, "scope": listed.scope}),
                "UpdateExpression": "SET purchase_ids = :purchase_ids, version = :next",
                "ConditionExpression": VERSION_IS_UNCHANGED if before else LIST_IS_NEW,
                "ExpressionAttributeValues": to_item(
                    {
                        ":purchase_ids": listed.purchase_ids,
                        ":next": listed.version,
                        ":version": before or None,
                    }
                ),
            }
        }


def _purchase(row: Row) -> Purchase:
    return Purchase.from_dict(cast("PurchaseJson", row))


def _row(purchase: Purchase) -> Row:
    """`payment_intent` stands beside the facts that it is one of, as the key of an index."""
    return {**purchase.to_dict(), "payment_intent": purchase.facts.payment_intent}
