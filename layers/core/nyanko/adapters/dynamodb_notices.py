"""The table `notices`: what a player must learn even if no socket was open."""

from typing import TYPE_CHECKING, Any

from nyanko.adapters.aws_errors import aws_errors
from nyanko.adapters.dynamodb import from_item, to_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NOTICE_IS_NEW = "attribute_not_exists(notice_id)"
NOTICE_EXISTS = "attribute_exists(notice_id)"
NOTICE_IS_UNSEEN = "attribute_not_exists(acknowledged_at)"
KEPT_SECONDS = 90 * 24 * 3600


class Notices:
    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def put(self, player_id: str, notice_id: str, notice: dict[str, Any], now: int) -> dict[str, Any] | None:
        """Keep a notice until the client acknowledges it; the same notice written again stays as it was.

        The row as it is kept, None if the client has acknowledged it already.
        """
        row = {
            "player_id": player_id,
            "notice_id": notice_id,
            "notice": notice,
            "created_at": now,
            "expires_at": now + KEPT_SECONDS,
        }
        try:
            with aws_errors("DynamoDB"):
                self._client.put_item(
                    TableName=self._table,
                    Item=to_item(row),
                    ConditionExpression=NOTICE_IS_NEW,
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            kept = from_item(error.response["Item"])  # type: ignore[typeddict-item] # the stubs do not know it
            return None if "acknowledged_at" in kept else kept
        return row

    def unseen(self, player_id: str) -> list[dict[str, Any]]:
        """Every notice that the client has not acknowledged, oldest first."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="player_id = :player_id",
            FilterExpression=NOTICE_IS_UNSEEN,
            ExpressionAttributeValues=to_item({":player_id": player_id}),
            ConsistentRead=True,
        )
        with aws_errors("DynamoDB"):
            return [from_item(item) for page in pages for item in page["Items"]]

    def acknowledge(self, player_id: str, notice_id: str, now: int) -> bool:
        """The client has shown the notice; False if the player has no such notice."""
        try:
            with aws_errors("DynamoDB"):
                self._client.update_item(
                    TableName=self._table,
                    Key=to_item({"player_id": player_id, "notice_id": notice_id}),
                    UpdateExpression="SET acknowledged_at = if_not_exists(acknowledged_at, :now)",
                    ConditionExpression=NOTICE_EXISTS,
                    ExpressionAttributeValues=to_item({":now": now}),
                )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True
