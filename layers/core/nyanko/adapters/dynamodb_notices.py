"""The table `notices`."""

from nyanko.adapters.dynamodb_table import ConditionFailed, Row, Table
from nyanko.notices import KEPT_SECONDS, Notice

NOTICE_IS_NEW = "attribute_not_exists(notice_id)"
NOTICE_EXISTS = "attribute_exists(notice_id)"
NOTICE_IS_UNSEEN = "attribute_not_exists(acknowledged_at)"


class Notices:
    def __init__(self, table: Table) -> None:
        self._table = table

    def put(self, notice: Notice) -> Notice | None:
        """Keep a notice until the client acknowledges it; the same notice written again stays as it was.

        The notice as it is kept, None if the client has acknowledged it already.
        """
        row = {
            "player_id": notice.player_id,
            "notice_id": notice.notice_id,
            "notice": notice.content,
            "created_at": notice.created_at,
            "expires_at": notice.created_at + KEPT_SECONDS,
        }
        try:
            self._table.put(row, NOTICE_IS_NEW)
        except ConditionFailed as taken:
            kept = _notice(taken.row)
            return None if kept.acknowledged_at else kept
        return notice

    def of_player(self, player_id: str) -> list[Notice]:
        """Every notice of the player that is kept, oldest first."""
        rows = self._table.query("player_id = :player_id", {"player_id": player_id})
        return [_notice(row) for row in rows]

    def unseen(self, player_id: str) -> list[Notice]:
        """Every notice that the client has not acknowledged, oldest first."""
        rows = self._table.query(
            "player_id = :player_id", {"player_id": player_id}, FilterExpression=NOTICE_IS_UNSEEN
        )
        return [_notice(row) for row in rows]

    def acknowledge(self, player_id: str, notice_id: str, now: int) -> bool:
        """The client has shown the notice; False if the player has no such notice."""
        try:
            self._table.update(
                {"player_id": player_id, "notice_id": notice_id},
                "SET acknowledged_at = if_not_exists(acknowledged_at, :now)",
                {"now": now},
                condition=NOTICE_EXISTS,
            )
        except ConditionFailed:
            return False
        return True


def _notice(row: Row) -> Notice:
    return Notice(
        notice_id=row["notice_id"],
        player_id=row["player_id"],
        created_at=row["created_at"],
        content=row["notice"],
        acknowledged_at=row.get("acknowledged_at"),
    )
