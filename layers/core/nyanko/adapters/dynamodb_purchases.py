"""The table `purchases`: the only writer of purchase rows but for the grant's transaction."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nyanko.adapters.aws_errors import aws_errors
from nyanko.adapters.dynamodb import from_item, to_item
from nyanko.errors import Retryable
from nyanko.facts import Facts
from nyanko.pages import Page, Position
from nyanko.purchases import Purchase, with_facts

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

PURCHASE_IS_NEW = "attribute_not_exists(purchase_id)"
PURCHASE_EXISTS = "attribute_exists(purchase_id)"
VERSION_IS_UNCHANGED = "version = :version"


class Purchases:
    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def create(self, purchase: Purchase, limit_lists: "Sequence[TransactWriteItemTypeDef]") -> bool:
        """Write the purchase and, in the same transaction, the lists of the limits that it falls under.

        False when another checkout was faster: the id is taken or a list changed. Read and check again.
        """
        new: TransactWriteItemTypeDef = {
            "Put": {
                "TableName": self._table,
                "Item": to_item(_row(purchase)),
                "ConditionExpression": PURCHASE_IS_NEW,
            }
        }
        try:
            with aws_errors("DynamoDB"):
                self._client.transact_write_items(TransactItems=[new, *limit_lists])
        except self._client.exceptions.TransactionCanceledException:
            return False
        return True

    def get(self, purchase_id: str) -> Purchase | None:
        with aws_errors("DynamoDB"):
            found = self._client.get_item(
                TableName=self._table, Key=to_item({"purchase_id": purchase_id}), ConsistentRead=True
            )
        return Purchase.from_dict(from_item(found["Item"])) if "Item" in found else None

    def get_many(self, purchase_ids: Sequence[str]) -> list[Purchase]:
        """Those of the purchases that exist, in no particular order."""
        found: list[Purchase] = []
        for batch in (purchase_ids[start : start + 100] for start in range(0, len(purchase_ids), 100)):
            keys: Any = [to_item({"purchase_id": purchase_id}) for purchase_id in batch]
            while keys:
                with aws_errors("DynamoDB"):
                    read = self._client.batch_get_item(
                        RequestItems={self._table: {"Keys": keys, "ConsistentRead": True}}
                    )
                found += [
                    Purchase.from_dict(from_item(item)) for item in read["Responses"].get(self._table, [])
                ]
                unprocessed = read["UnprocessedKeys"].get(self._table)
                keys = unprocessed["Keys"] if unprocessed else []
        return found

    def attach_session(self, purchase: Purchase, session_id: str, url: str) -> Purchase:
        """Keep the Checkout Session that was opened for the purchase; facts and version stay as they are."""
        with aws_errors("DynamoDB"):
            self._client.update_item(
                TableName=self._table,
                Key=to_item({"purchase_id": purchase.purchase_id}),
                UpdateExpression="SET session_id = :session_id, #url = :url",
                ConditionExpression=PURCHASE_EXISTS,
                ExpressionAttributeNames={"#url": "url"},
                ExpressionAttributeValues=to_item({":session_id": session_id, ":url": url}),
            )
        return replace(purchase, session_id=session_id, url=url)

    def record(self, purchase: Purchase, facts: Facts, now: int) -> Purchase:
        """Store the merged facts under the condition that nobody else changed the purchase since it was read.

        Raises `Retryable` (`Conflict`) if somebody did: read again, merge again.
        """
        recorded = with_facts(purchase, facts, now)
        row = _row(recorded)
        payment_intent = ", payment_intent = :payment_intent" if facts.payment_intent else ""
        try:
            with aws_errors("DynamoDB"):
                self._client.update_item(
                    TableName=self._table,
                    Key=to_item({"purchase_id": purchase.purchase_id}),
                    UpdateExpression="SET facts = :facts, version = :next, updated_at = :now"
                    + payment_intent,
                    ConditionExpression=VERSION_IS_UNCHANGED,
                    ExpressionAttributeValues=to_item(
                        {
                            ":facts": row["facts"],
                            ":version": purchase.version,
                            ":next": recorded.version,
                            ":now": now,
                            ":payment_intent": facts.payment_intent,
                        }
                    ),
                )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            raise Retryable("Conflict", f"{purchase.purchase_id} changed since it was read") from error
        return recorded

    def of_player(self, player_id: str, page: Page) -> tuple[list[Purchase], Position | None]:
        """A page of the player's purchases, newest first, and where the next page starts.

        The index has the keys alone: a purchase changes more often than its player lists it.
        """
        start = {"ExclusiveStartKey": to_item({"player_id": player_id, **page.after})} if page.after else {}
        with aws_errors("DynamoDB"):
            found = self._client.query(
                TableName=self._table,
                IndexName="by_player",
                KeyConditionExpression="player_id = :player_id",
                ExpressionAttributeValues=to_item({":player_id": player_id}),
                ScanIndexForward=False,
                Limit=page.limit,
                **start,  # type: ignore[arg-type] # a key or nothing at all
            )
        in_order = [from_item(item)["purchase_id"] for item in found["Items"]]
        by_id = {purchase.purchase_id: purchase for purchase in self.get_many(in_order)}
        purchases = [by_id[purchase_id] for purchase_id in in_order if purchase_id in by_id]
        if "LastEvaluatedKey" not in found:
            return purchases, None
        last = from_item(found["LastEvaluatedKey"])
        return purchases, {"purchase_id": last["purchase_id"], "created_at": last["created_at"]}

    def id_by_payment_intent(self, payment_intent: str) -> str | None:
        with aws_errors("DynamoDB"):
            found = self._client.query(
                TableName=self._table,
                IndexName="by_payment_intent",
                KeyConditionExpression="payment_intent = :payment_intent",
                ExpressionAttributeValues=to_item({":payment_intent": payment_intent}),
            )
        return next((from_item(item)["purchase_id"] for item in found["Items"]), None)


def _row(purchase: Purchase) -> dict[str, Any]:
    """`payment_intent` stands beside the facts that it is one of, as the key of an index."""
    return {**purchase.to_dict(), "payment_intent": purchase.facts.payment_intent}
