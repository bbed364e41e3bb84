"""The table `players`: whose Join&make user is whose."""

from typing import TYPE_CHECKING

from nyanko.adapters.aws_errors import aws_errors
from nyanko.adapters.dynamodb import from_item, to_item
from nyanko.players import Player

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Players:
    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def get(self, player_id: str) -> Player | None:
        with aws_errors("DynamoDB"):
            found = self._client.get_item(TableName=self._table, Key=to_item({"subject": player_id}))
        if "Item" not in found:
            return None
        row = from_item(found["Item"])
        return Player(
            player_id=row["subject"],
            joinmake_user_id=row["joinmake_user_id"],
            display_name=row.get("display_name"),
            birth_month=row.get("birth_month"),
            profile_read_at=row["profile_read_at"],
        )

    def put(self, player: Player) -> None:
        """Keep a player as Join&make just described them; the later description wins."""
        with aws_errors("DynamoDB"):
            self._client.put_item(
                TableName=self._table,
                Item=to_item(
                    {
                        "subject": player.player_id,
                        "joinmake_user_id": player.joinmake_user_id,
                        "display_name": player.display_name,
                        "birth_month": player.birth_month,
                        "profile_read_at": player.profile_read_at,
                    }
                ),
            )
