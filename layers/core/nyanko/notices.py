"""A notice: what a player must learn of a purchase, even if no socket was open.

granted ──► content ──► row of `notices`, by id ──► view in GET /notices, frame in the WebSocket
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

from nyanko.errors import BadInput
from nyanko.frames import MAX_FRAME_BYTES, frame
from nyanko.purchases import Purchase, Status, status
from nyanko.views import inventory_view, purchase_view

NOTICE_ID = re.compile(r"[A-Za-z0-9_.]{1,100}", re.ASCII)
KEPT_SECONDS = 90 * 24 * 3600


class NoticeContent(TypedDict):
    """`items` maps item id to the signed count by which the inventory changed."""

    type: Literal["purchase.updated"]
    purchase_id: str
    status: Status
    items: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Notice:
    """`created_at` and `acknowledged_at` are epoch seconds UTC; the latter is None until the client has shown
    the notice."""

    notice_id: str
    player_id: str
    created_at: int
    content: NoticeContent
    acknowledged_at: int | None = None

    @property
    def purchase_id(self) -> str:
        return self.content["purchase_id"]


def notice_content(purchase: Purchase, items: Mapping[str, int]) -> NoticeContent:
    """What the player is told once these items were granted, or taken back."""
    return {
        "type": "purchase.updated",
        "purchase_id": purchase.purchase_id,
        "status": status(purchase),
        "items": items,
    }


def new_notice(purchase: Purchase, content: NoticeContent, now: int) -> Notice:
    """The one notice of this version of the purchase. Its id sorts by time, and a second run for the same
    version has the same id."""
    notice_id = f"{purchase.updated_at:010d}.{purchase.purchase_id}.{purchase.version}"
    return Notice(notice_id, purchase.player_id, now, content)


def read_notice_id(given: object) -> str:
    """Raises `BadInput` for what is no id of a notice."""
    if not isinstance(given, str) or not NOTICE_ID.fullmatch(given):
        raise BadInput("InvalidRequest", "ack needs the notice_id of a notice")
    return given


def notice_view(notice: Notice) -> dict[str, Any]:
    return {"notice_id": notice.notice_id, "created_at": notice.created_at, **notice.content}


def notice_frame(notice: Notice, purchase: Purchase, inventory: Mapping[str, int]) -> str:
    """A notice with its purchase, as it is after it or later, and the inventory as it is now.

    `inventory` is null when the frame would grow beyond `MAX_FRAME_BYTES`: the client asks GET /inventory.
    """
    fields = {**notice_view(notice), "purchase": purchase_view(purchase)}
    whole = frame(**fields, inventory=inventory_view(inventory))
    return whole if len(whole.encode()) <= MAX_FRAME_BYTES else frame(**fields, inventory=None)
