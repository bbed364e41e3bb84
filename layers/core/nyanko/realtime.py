"""The WebSocket protocol: what the game may say and what it is told, as docs/realtime.md explains it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from nyanko.errors import BadInput, Permanent, Retryable
from nyanko.http import json_body
from nyanko.purchases import Purchase
from nyanko.views import inventory_view, notice_view, purchase_view

MessageType = Literal["hello", "ack", "ping"]

MESSAGE_TYPES: tuple[MessageType, ...] = get_args(MessageType)
NOTICE_ID = re.compile(r"[A-Za-z0-9_.]{1,100}", re.ASCII)

MAX_FRAME_BYTES = 32 * 1024
"""API Gateway closes a connection with 1009 rather than pass on a larger frame
(https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html)."""

MAX_CATCH_UP = 100
"""How many notices one hello is answered with; the client acknowledges them and says hello for the others."""


@dataclass(frozen=True, slots=True)
class Message:
    """What a client said; `notice_id` is "" unless it acknowledges a notice."""

    type: MessageType
    notice_id: str = ""


def read_message(event: Mapping[str, Any]) -> Message:
    """The message in API Gateway's event; raises `BadInput` for anything that is none."""
    message = json_body(event)
    kind = message.get("type") if isinstance(message, Mapping) else None
    if kind not in MESSAGE_TYPES:
        raise BadInput("InvalidRequest", f"send a JSON object whose type is {', '.join(MESSAGE_TYPES)}")
    if kind != "ack":
        return Message(kind)
    notice_id = message.get("notice_id")
    if not isinstance(notice_id, str) or not NOTICE_ID.fullmatch(notice_id):
        raise BadInput("InvalidRequest", "ack needs the notice_id of a notice")
    return Message(kind, notice_id)


def frame(**fields: object) -> str:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def notice_frame(notice: Mapping[str, Any], purchase: Purchase, inventory: Mapping[str, int]) -> str:
    """A notice with its purchase, as it is after it or later, and the inventory as it is now.

    `inventory` is null when the frame would grow beyond `MAX_FRAME_BYTES`: the client asks GET /inventory.
    """
    fields = {**notice_view(notice), "purchase": purchase_view(purchase)}
    whole = frame(**fields, inventory=inventory_view(inventory))
    return whole if len(whole.encode()) <= MAX_FRAME_BYTES else frame(**fields, inventory=None)


def error_frame(error: BadInput | Permanent | Retryable) -> str:
    return frame(type="error", error={"code": error.code, "message": error.message})
