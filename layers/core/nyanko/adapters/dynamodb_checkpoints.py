"""The table `checkpoints`: how far work has come that may take more than one run."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nyanko.adapters.aws_errors import aws_errors
from nyanko.adapters.dynamodb import from_item, to_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Checkpoints:
    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def get(self, name: str) -> dict[str, Any] | None:
        with aws_errors("DynamoDB"):
            found = self._client.get_item(
                TableName=self._table, Key=to_item({"name": name}), ConsistentRead=True
            )
        return from_item(found["Item"]) if "Item" in found else None

    def put(self, name: str, progress: Mapping[str, Any]) -> None:
        with aws_errors("DynamoDB"):
            self._client.put_item(TableName=self._table, Item=to_item({"name": name, **progress}))
