"""What a game may say over the WebSocket, as docs/realtime.md explains it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from nyanko.apigateway import json_body
from nyanko.errors import BadInput
from nyanko.notices import read_notice_id

MessageType = Literal["hello", "ack", "ping"]

MESSAGE_TYPES: tuple[MessageType, ...] = get_args(MessageType)

MAX_CATCH_UP = 100
"""How many notices one hello is answered with; the client acknowledges them and says hello for the others."""


@dataclass(frozen=True, slots=True)
class ClientMessage:
    """What a client said; `notice_id` is "" unless it acknowledges a notice."""

    type: MessageType
    notice_id: str = ""


def read_client_message(event: Mapping[str, Any]) -> ClientMessage:
    """The message in API Gateway's event; raises `BadInput` for anything that is none."""
    message = json_body(event)
    kind = message.get("type") if isinstance(message, Mapping) else None
    if kind not in MESSAGE_TYPES:
        raise BadInput("InvalidRequest", f"send a JSON object whose type is {', '.join(MESSAGE_TYPES)}")
    if kind != "ack":
        return ClientMessage(kind)
    return ClientMessage(kind, read_notice_id(message.get("notice_id")))
