"""The table `tickets`: who may open a WebSocket once, and until when."""

from nyanko.adapters.dynamodb_table import ConditionFailed, Table

# DynamoDB may take days to delete what has expired.
TICKET_IS_VALID = "expires_at > :now"
TICKET_IS_THE_PLAYERS = "player_id = :player_id"


class Tickets:
    def __init__(self, table: Table) -> None:
        self._table = table

    def put(self, ticket_hash: str, player_id: str, expires_at: int) -> None:
        self._table.put({"ticket_hash": ticket_hash, "player_id": player_id, "expires_at": expires_at})

    def redeem(self, ticket_hash: str, claimed: str | None, now: int) -> str | None:
        """Use the ticket up and return its player; None when it is unknown, used, expired or not `claimed`'s.

        `claimed` is the player whom the bearer says to be, None if they do not say.
        """
        condition = f"{TICKET_IS_VALID} AND {TICKET_IS_THE_PLAYERS}" if claimed else TICKET_IS_VALID
        try:
            ticket = self._table.delete(
                {"ticket_hash": ticket_hash}, condition, {"now": now, "player_id": claimed or None}
            )
        except ConditionFailed:
            return None
        return str(ticket["player_id"])
