"""The table `players`: whose Join&make user is whose."""

from nyanko.adapters.dynamodb_table import Table
from nyanko.players import Player


class Players:
    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, player_id: str) -> Player | None:
        row = self._table.get({"subject": player_id}, consistent=False)
        if row is None:
            return None
        return Player(
            player_id=row["subject"],
            joinmake_user_id=row["joinmake_user_id"],
            display_name=row.get("display_name"),
            birth_month=row.get("birth_month"),
            profile_read_at=row["profile_read_at"],
        )

    def put(self, player: Player) -> None:
        """Keep a player as Join&make just described them; the later description wins."""
        self._table.put(
            {
                "subject": player.player_id,
                "joinmake_user_id": player.joinmake_user_id,
                "display_name": player.display_name,
                "birth_month": player.birth_month,
                "profile_read_at": player.profile_read_at,
            }
        )
