"""The table `notices`: what a player must learn even if no socket was open."""

from typing import TYPE_CHECKING, Any

from nyanko.adapters.aws_errors import aws_errors
from nyanko.adapters.dynamodb import to_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NOTICE_IS_NEW = "attribute_not_exists(notice_id)"
KEPT_SECONDS = 90 * 24 * 3600


class Notices:
    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def put(self, player_id: str, notice_id: str, notice: dict[str, Any], now: int) -> None:
        """Keep a notice until the client acknowledges it; the same notice written again stays as it was."""
        try:
            with aws_errors("DynamoDB"):
                self._client.put_item(
                    TableName=self._table,
                    Item=to_item(
                        {
                            "player_id": player_id,
                            "notice_id": notice_id,
                            "notice": notice,
                            "created_at": now,
                            "expires_at": now + KEPT_SECONDS,
                        }
                    ),
                    ConditionExpression=NOTICE_IS_NEW,
                )
        except self._client.exceptions.ConditionalCheckFailedException:
            return
