"""The table `replays`: who had an event run again, which operators may add to and not change."""

from dataclasses import asdict

from nyanko.adapters.dynamodb_table import ConditionFailed, Table
from nyanko.replays import ReplayRow

REPLAY_IS_NEW = "attribute_not_exists(event_id)"


class Replays:
    def __init__(self, table: Table) -> None:
        self._table = table

    def of_event(self, event_id: str) -> list[ReplayRow]:
        """Every replay of an event, the first one first."""
        rows = self._table.query("event_id = :event_id", {"event_id": event_id})
        return sorted((ReplayRow(**row) for row in rows), key=lambda replay: replay.at)

    def put(self, replay: ReplayRow) -> bool:
        """Keep who replays, when and why; False if this replay is on record already."""
        try:
            self._table.put(asdict(replay), REPLAY_IS_NEW)
        except ConditionFailed:
            return False
        return True
