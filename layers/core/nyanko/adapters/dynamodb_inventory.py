"""The table `inventory`: what the player holds; the grant's transaction is its writer."""

from typing import TYPE_CHECKING

from nyanko.adapters.aws_errors import aws_errors
from nyanko.adapters.dynamodb import from_item, to_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Inventory:
    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def of_player(self, player_id: str) -> dict[str, int]:
        """Item id to quantity; a negative quantity is debt."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="player_id = :player_id",
            ExpressionAttributeValues=to_item({":player_id": player_id}),
            ConsistentRead=True,
        )
        with aws_errors("DynamoDB"):
            rows = [from_item(item) for page in pages for item in page["Items"]]
        return {row["item_id"]: row["quantity"] for row in rows}
