"""API Gateway's `@connections` in memory: it answers as told and keeps what clients were sent."""

import json
from collections import defaultdict, deque
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

GONE = 410


class SocketsApi:
    """A `dead` connection is answered 410, one with `refusals` left with these HTTP statuses first.

    `asked` are the connections in the order of all posts, `received` the frames that each connection took.
    """

    def __init__(self) -> None:
        self.dead: set[str] = set()
        self.refusals: defaultdict[str, deque[int]] = defaultdict(deque)
        self.asked: list[str] = []
        self.received: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)

    def post(self, params: Mapping[str, Any]) -> None:
        connection_id = params["ConnectionId"]
        self.asked.append(connection_id)
        if connection_id in self.dead:
            raise _refusal(GONE)
        if refusals := self.refusals[connection_id]:
            raise _refusal(refusals.popleft())
        self.received[connection_id].append(json.loads(params["Data"]))


def _refusal(status: int) -> ClientError:
    """As the SDK reads an answer without a body: the status is all that there is."""
    answered: Any = {
        "Error": {"Code": str(status), "Message": ""},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answered, "PostToConnection")
