"""Frames of the WebSocket: JSON texts, as docs/realtime.md explains them."""

import json

from nyanko.errors import Refusal

MAX_FRAME_BYTES = 32 * 1024
"""API Gateway closes a connection with 1009 rather than pass on a larger frame
(https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html)."""


def frame(**fields: object) -> str:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def error_frame(error: Refusal) -> str:
    return frame(type="error", error={"code": error.code, "message": error.message})
