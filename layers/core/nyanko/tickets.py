"""One-time tickets: a WebSocket is opened with a URL alone, and a token has no business in a URL."""

import hashlib
import secrets

TICKET_SECONDS = 60


def new_ticket() -> str:
    """32 random bytes in 43 characters that a URL carries as they are."""
    return secrets.token_urlsafe(32)


def ticket_hash(ticket: str) -> str:
    """What is stored of a ticket: whoever reads the table cannot connect with it."""
    return hashlib.sha256(ticket.encode(errors="replace")).hexdigest()
