"""The webhook's signing secrets as they are stored: a line each, with the id of the endpoint that signs.

    we_1Rolled whsec_…
    we_1Old whsec_…

An operator may store a bare secret, or several divided by white space: then nobody knows whose they are.
"""

from collections.abc import Iterable
from dataclasses import dataclass

ENDPOINT = "we_"
"""How the ids of Stripe's webhook endpoints begin. An id is no secret: nothing that it signed is accepted."""


@dataclass(frozen=True, slots=True)
class SigningSecret:
    """`endpoint_id` is None for a bare secret."""

    value: str
    endpoint_id: str | None = None


def read_secrets(stored: str) -> list[SigningSecret]:
    """The secrets in a stored text, in their order: the newest first."""
    secrets, endpoint_id = [], None
    for word in stored.split():
        if word.startswith(ENDPOINT):
            endpoint_id = word
        else:
            secrets.append(SigningSecret(word, endpoint_id))
            endpoint_id = None
    return secrets


def secrets_text(secrets: Iterable[SigningSecret]) -> str:
    """The text that `read_secrets` reads."""
    return "\n".join(f"{one.endpoint_id or ''} {one.value}".strip() for one in secrets)
