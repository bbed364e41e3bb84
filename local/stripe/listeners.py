"""Stripe's CLI as it listens: `stripe listen --forward-to` gets every event over a WebSocket.

The CLI asks for a session, connects to the address that it is told, forwards each event to the URL of its
user, and tells what was answered (https://docs.stripe.com/cli/listen). No page describes the messages; they
are those of the CLI's own source (https://github.com/stripe/stripe-cli, pkg/stripeauth and pkg/websocket).
Each event comes twice, as from Stripe: in the account's default version, and for `--latest` in the newest.
"""

import contextlib
import json
import socket
import threading
from collections.abc import Iterable
from typing import Any

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Event, Message, Ping, Request
from wsproto.utilities import LocalProtocolError

from local.stripe import versions
from local.stripe.signatures import signature
from local.stripe.store import API_VERSION, Account, Listener, StripeObject, random_text

RECONNECT_SECONDS = 60


def open_(account: Account) -> Listener:
    listener = Listener(account.new_id("cliws_"), f"whsec_{random_text(64)}")
    account.listeners[listener.id] = listener
    return listener


def tell(account: Account, event: StripeObject) -> None:
    """Send an event to everybody who listens."""
    for listener in account.listeners.values():
        for version in (None, API_VERSION):
            listener.outbox.put(_message(account, listener, event, version))


def serve(
    listener: Listener, connection: socket.socket, path: str, headers: Iterable[tuple[str, str]]
) -> None:
    """Speak to the CLI over a connection whose upgrade was asked for with these headers, until it ends."""
    protocol = WSConnection(ConnectionType.SERVER)
    protocol.initiate_upgrade_connection(
        [(name.lower().encode(), value.encode()) for name, value in headers], path
    )
    sending = threading.Lock()

    def send(event: Event) -> None:
        with sending:
            connection.sendall(protocol.send(event))

    for event in protocol.events():
        if isinstance(event, Request):
            send(AcceptConnection())
    reader = threading.Thread(target=_read, args=(listener, connection, protocol, send), daemon=True)
    reader.start()
    # The CLI may leave in the middle of a message.
    with contextlib.suppress(OSError, LocalProtocolError):
        while (text := listener.outbox.get()) is not None:
            send(Message(data=text))
    connection.close()


def close(account: Account) -> None:
    """Let every conversation end."""
    for listener in account.listeners.values():
        listener.outbox.put(None)


def _read(listener: Listener, connection: socket.socket, protocol: WSConnection, send: Any) -> None:  # noqa: ANN401
    text = ""
    try:
        while data := connection.recv(65_536):
            protocol.receive_data(data)
            for event in protocol.events():
                if isinstance(event, Ping):
                    send(event.response())
                elif isinstance(event, CloseConnection):
                    return
                elif isinstance(event, Message):
                    text += str(event.data)
                    if event.message_finished:
                        _note(listener, json.loads(text))
                        text = ""
    except OSError:
        pass
    finally:
        listener.outbox.put(None)


def _note(listener: Listener, message: dict[str, Any]) -> None:
    if message.get("type") == "webhook_response":
        listener.responses.put(message)


def _message(account: Account, listener: Listener, event: StripeObject, version: str | None) -> str:
    """`version` is None for the account's default."""
    named = {**event, "api_version": version or event["api_version"], "pending_webhooks": 1}
    payload = json.dumps(versions.render(named, named["api_version"]), indent=2, ensure_ascii=False)
    return json.dumps(
        {
            "type": "webhook_event",
            "endpoint": {"api_version": version, "status": "enabled"},
            "event_payload": payload,
            "http_headers": {
                "Content-Type": "application/json; charset=utf-8",
                "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
                "Stripe-Signature": signature(payload.encode(), [listener.secret], account.now()),
            },
            "webhook_conversation_id": f"wc_{random_text(24)}",
            "webhook_id": f"wh_{random_text(24)}",
        }
    )
