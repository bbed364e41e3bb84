"""Reading a long list page by page, with a cursor that the client hands back unread."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict

from nyanko.errors import BadInput

DEFAULT_LIMIT = 20
MAX_LIMIT = 100


class Position(TypedDict):
    """The last purchase of a page. It names no player: whose list it is, the authorizer says."""

    purchase_id: str
    created_at: int


@dataclass(frozen=True, slots=True)
class Page:
    limit: int = DEFAULT_LIMIT
    after: Position | None = None


def read_page(query: Mapping[str, str]) -> Page:
    """The page that `limit` and `cursor` of a query string ask for; raises `BadInput`."""
    limit = query.get("limit", str(DEFAULT_LIMIT))
    if not (limit.isascii() and limit.isdecimal() and len(limit) <= 3 and 1 <= int(limit) <= MAX_LIMIT):
        raise BadInput("InvalidRequest", f"limit must be an integer from 1 to {MAX_LIMIT}")
    return Page(int(limit), _read_cursor(query["cursor"]) if "cursor" in query else None)


def cursor(position: Position | None) -> str | None:
    if position is None:
        return None
    return base64.urlsafe_b64encode(
        json.dumps([position["purchase_id"], position["created_at"]]).encode()
    ).decode()


def _read_cursor(given: str) -> Position:
    try:
        purchase_id, created_at = json.loads(base64.b64decode(given, b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError, RecursionError):
        raise BadInput("InvalidRequest", "cursor is none of ours; start without one") from None
    if not (
        isinstance(purchase_id, str) and purchase_id and type(created_at) is int and 0 <= created_at < 1 << 40
    ):
        raise BadInput("InvalidRequest", "cursor is none of ours; start without one")
    return {"purchase_id": purchase_id, "created_at": created_at}
