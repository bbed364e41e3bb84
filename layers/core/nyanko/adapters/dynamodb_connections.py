"""The table `connections`: the WebSockets on which a player listens.

Rows are found by player in the table itself and not in an index, because only a table is read consistently:
of a hello (writes its row, then reads the notices) and a notification (writes its notice, then reads the
rows) that meet, at least one sees the other.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nyanko.adapters.aws_errors import aws_errors
from nyanko.adapters.dynamodb import from_item, to_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import WriteRequestTypeDef

CONNECTION_IS_ALIVE = "expires_at > :now"

ROW_SECONDS = 2 * 3600 + 600
"""API Gateway ends a connection after two hours; the rest is a margin
(https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html)."""

BATCH = 25
"""How many rows BatchWriteItem takes."""


class Connections:
    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def put(self, player_id: str, connection_id: str, now: int) -> None:
        with aws_errors("DynamoDB"):
            self._client.put_item(
                TableName=self._table,
                Item=to_item(
                    {
                        "player_id": player_id,
                        "connection_id": connection_id,
                        "expires_at": now + ROW_SECONDS,
                    }
                ),
            )

    def of_player(self, player_id: str, now: int) -> list[str]:
        """The ids of the connections on which the player listens, of which some may have died meanwhile."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="player_id = :player_id",
            FilterExpression=CONNECTION_IS_ALIVE,
            ExpressionAttributeValues=to_item({":player_id": player_id, ":now": now}),
            ConsistentRead=True,
        )
        with aws_errors("DynamoDB"):
            return [from_item(item)["connection_id"] for page in pages for item in page["Items"]]

    def delete(self, player_id: str, connection_ids: Sequence[str]) -> None:
        """Forget dead connections; a row that DynamoDB leaves for now is found dead by the next push."""
        for batch in (
            connection_ids[start : start + BATCH] for start in range(0, len(connection_ids), BATCH)
        ):
            deletes: list[WriteRequestTypeDef] = [
                {"DeleteRequest": {"Key": to_item({"player_id": player_id, "connection_id": connection_id})}}
                for connection_id in batch
            ]
            with aws_errors("DynamoDB"):
                self._client.batch_write_item(RequestItems={self._table: deletes})
