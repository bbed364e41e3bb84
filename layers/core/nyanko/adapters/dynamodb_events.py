"""The table `events`: one row for each event of Stripe's, `claimed`, then `applied`, `ignored` or `parked`.

The workflow itself claims and ignores (statemachines/payment.asl.yaml); the grant's transaction applies.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nyanko.adapters.aws_errors import aws_errors
from nyanko.adapters.dynamodb import from_item, to_item
from nyanko.deliveries import FINISHED

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

EVENT_IS_NOT_FINISHED = "attribute_not_exists(event_id) OR NOT #state IN (:applied, :ignored)"
EVENT_IS_CLAIMED = "attribute_exists(event_id)"
APPLY = "SET #state = :applied, purchase_id = :purchase_id, applied_at = :now REMOVE parked_reason, parked_at"


class Events:
    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def get(self, event_id: str) -> dict[str, Any] | None:
        with aws_errors("DynamoDB"):
            found = self._client.get_item(
                TableName=self._table, Key=to_item({"event_id": event_id}), ConsistentRead=True
            )
        return from_item(found["Item"]) if "Item" in found else None

    def is_finished(self, event_id: str) -> bool:
        """Whether the event is applied or ignored, as of a moment ago: it cannot become unfinished again."""
        with aws_errors("DynamoDB"):
            found = self._client.get_item(
                TableName=self._table,
                Key=to_item({"event_id": event_id}),
                ProjectionExpression="#state",
                ExpressionAttributeNames={"#state": "state"},
            )
        return "Item" in found and from_item(found["Item"])["state"] in FINISHED

    def states(self, event_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Of those events that have a row: its state and execution, and why it is parked, by event id."""
        found: dict[str, dict[str, Any]] = {}
        for batch in (event_ids[start : start + 100] for start in range(0, len(event_ids), 100)):
            keys: Any = [to_item({"event_id": event_id}) for event_id in batch]
            while keys:
                asked: Any = {
                    "Keys": keys,
                    "ConsistentRead": True,
                    # The bodies stay where they are.
                    "ProjectionExpression": "event_id, #state, execution, purchase_id, parked_reason",
                    "ExpressionAttributeNames": {"#state": "state"},
                }
                with aws_errors("DynamoDB"):
                    read = self._client.batch_get_item(RequestItems={self._table: asked})
                rows = [from_item(item) for item in read["Responses"].get(self._table, [])]
                found |= {row["event_id"]: row for row in rows}
                unprocessed = read["UnprocessedKeys"].get(self._table)
                keys = unprocessed["Keys"] if unprocessed else []
        return found

    def ids_of_purchase(self, purchase_id: str) -> list[str]:
        """The events that are known to be about a purchase, oldest first."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName="by_purchase",
            KeyConditionExpression="purchase_id = :purchase_id",
            ExpressionAttributeValues=to_item({":purchase_id": purchase_id}),
        )
        with aws_errors("DynamoDB"):
            return [from_item(item)["event_id"] for page in pages for item in page["Items"]]

    def apply(self, event_id: str, purchase_id: str, now: int) -> None:
        """Mark an event as applied whose facts change nothing in the inventory."""
        with aws_errors("DynamoDB"):
            self._client.update_item(
                TableName=self._table,
                Key=to_item({"event_id": event_id}),
                UpdateExpression=APPLY,
                ConditionExpression=EVENT_IS_CLAIMED,
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues=to_item(
                    {":applied": "applied", ":purchase_id": purchase_id, ":now": now}
                ),
            )

    def park(
        self,
        event_id: str,
        reason: str,
        cause: str,
        execution: str,
        delivery: Mapping[str, Any],
        about: Mapping[str, Any],
        now: int,
    ) -> bool:
        """Set the event aside with its reason; False if it was finished meanwhile and nothing is parked.

        `delivery` is what a replay needs: `body`, `signature` and `received_at`. A claimed event keeps the
        body it was claimed with, and a parked event never expires. `about` is what else is known of it, such
        as `purchase_id`; None is not known.
        """
        known = {name: value for name, value in about.items() if value is not None}
        keep_known = "".join(f", #{name} = if_not_exists(#{name}, :{name})" for name in known)
        try:
            with aws_errors("DynamoDB"):
                self._client.update_item(
                    TableName=self._table,
                    Key=to_item({"event_id": event_id}),
                    UpdateExpression=(
                        "SET #state = :parked, parked_reason = :reason, parked_at = :now, cause = :cause, "
                        "execution = :execution, body = if_not_exists(body, :body), "
                        "signature = if_not_exists(signature, :signature), "
                        "received_at = if_not_exists(received_at, :received_at)"
                        f"{keep_known} REMOVE expires_at"
                    ),
                    ConditionExpression=EVENT_IS_NOT_FINISHED,
                    ExpressionAttributeNames={"#state": "state", **{f"#{name}": name for name in known}},
                    ExpressionAttributeValues=to_item(
                        {
                            ":parked": "parked",
                            ":applied": "applied",
                            ":ignored": "ignored",
                            ":reason": reason,
                            ":cause": cause,
                            ":execution": execution,
                            ":now": now,
                            ":body": delivery["body"],
                            ":signature": delivery["signature"],
                            ":received_at": delivery["received_at"],
                            **{f":{name}": value for name, value in known.items()},
                        }
                    ),
                )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True
