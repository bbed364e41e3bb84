"""What a game may say."""

import json
from typing import Any

import pytest

from nyanko.errors import BadInput
from nyanko.realtime import ClientMessage, read_client_message
from tests.data import MIKES_PURCHASE


def said(message: object) -> dict[str, Any]:
    return {"body": json.dumps(message)}


@pytest.mark.parametrize(
    ("message", "read"),
    [
        ({"type": "hello"}, ClientMessage("hello")),
        ({"type": "ping"}, ClientMessage("ping")),
        ({"type": "ping", "sent_at": 1_700_000_000}, ClientMessage("ping")),
        (
            {"type": "ack", "notice_id": f"1700000000.{MIKES_PURCHASE}.2"},
            ClientMessage("ack", f"1700000000.{MIKES_PURCHASE}.2"),
        ),
    ],
)
def test_a_message_is_read(message: object, read: ClientMessage) -> None:
    assert read_client_message(said(message)) == read


@pytest.mark.parametrize(
    "message",
    [
        {"type": ""},
        {"type": "Hello"},
        {"type": "$connect"},
        {"type": "$disconnect"},
        {"type": None},
        {"type": 1},
        {"type": ["hello"]},
        *(
            {"type": "ack", "notice_id": notice_id}
            for notice_id in ("", None, 2, "a" * 101, "\ud800", "三毛")
        ),
        {"type": "ack"},
        {},
        [],
        "hello",
        None,
    ],
)
def test_anything_else_is_bad_input(message: object) -> None:
    with pytest.raises(BadInput):
        read_client_message(said(message))


@pytest.mark.parametrize("text", ["", "nyan", "{", "\x00"])
def test_what_is_not_json_is_bad_input(text: str) -> None:
    with pytest.raises(BadInput):
        read_client_message({"body": text})
