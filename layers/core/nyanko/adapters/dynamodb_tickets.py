"""The table `tickets`: who may open a WebSocket once, and until when."""

from typing import TYPE_CHECKING

from nyanko.adapters.aws_errors import aws_errors
from nyanko.adapters.dynamodb import from_item, to_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# DynamoDB may take days to delete what has expired.
TICKET_IS_VALID = "expires_at > :now"
TICKET_IS_THE_PLAYERS = "player_id = :player_id"


class Tickets:
    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def put(self, ticket_hash: str, player_id: str, expires_at: int) -> None:
        with aws_errors("DynamoDB"):
            self._client.put_item(
                TableName=self._table,
                Item=to_item({"ticket_hash": ticket_hash, "player_id": player_id, "expires_at": expires_at}),
            )

    def redeem(self, ticket_hash: str, claimed: str | None, now: int) -> str | None:
        """Use the ticket up and return its player; None when it is unknown, used, expired or not `claimed`'s.

        `claimed` is the player whom the bearer says to be, None if they do not say.
        """
        condition = f"{TICKET_IS_VALID} AND {TICKET_IS_THE_PLAYERS}" if claimed else TICKET_IS_VALID
        try:
            with aws_errors("DynamoDB"):
                deleted = self._client.delete_item(
                    TableName=self._table,
                    Key=to_item({"ticket_hash": ticket_hash}),
                    ConditionExpression=condition,
                    ExpressionAttributeValues=to_item({":now": now, ":player_id": claimed or None}),
                    ReturnValues="ALL_OLD",
                )
        except self._client.exceptions.ConditionalCheckFailedException:
            return None
        return str(from_item(deleted["Attributes"])["player_id"])
