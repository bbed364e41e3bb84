"""The table `connections`: the WebSockets on which a player listens.

Rows are found by player in the table itself and not in an index, because only a table is read consistently:
of a hello (writes its row, then reads the notices) and a notification (writes its notice, then reads the
rows) that meet, at least one sees the other.
"""

from collections.abc import Sequence

from nyanko.adapters.dynamodb_table import Table

CONNECTION_IS_ALIVE = "expires_at > :now"

ROW_SECONDS = 2 * 3600 + 600
"""API Gateway ends a connection after two hours; the rest is a margin
(https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html)."""


class Connections:
    def __init__(self, table: Table) -> None:
        self._table = table

    def put(self, player_id: str, connection_id: str, now: int) -> None:
        self._table.put(
            {"player_id": player_id, "connection_id": connection_id, "expires_at": now + ROW_SECONDS}
        )

    def of_player(self, player_id: str, now: int) -> list[str]:
        """The ids of the connections on which the player listens, of which some may have died meanwhile."""
        rows = self._table.query(
            "player_id = :player_id",
            {"player_id": player_id, "now": now},
            FilterExpression=CONNECTION_IS_ALIVE,
        )
        return [row["connection_id"] for row in rows]

    def delete(self, player_id: str, connection_ids: Sequence[str]) -> None:
        """Forget dead connections; a row that DynamoDB leaves for now is found dead by the next push."""
        self._table.delete_many(
            [{"player_id": player_id, "connection_id": connection_id} for connection_id in connection_ids]
        )
