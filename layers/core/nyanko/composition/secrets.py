"""Which secrets a stage has, and what it means that one is missing."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from nyanko.errors import Retryable
from nyanko.signing_secrets import SigningSecret, read_secrets, secrets_text

if TYPE_CHECKING:
    from nyanko.adapters.secretsmanager_secrets import Secrets

WEBHOOK_SECRETS = "stripe_webhook_secrets"


class StageSecrets:
    """The secrets of a stage, each as it is in force; a new one is within five minutes.

    `name_of` says what a secret is called in Secrets Manager. White space around a value is dropped: a
    trailing newline is the usual slip of whoever stores a secret.
    """

    def __init__(self, secrets: "Secrets", name_of: Callable[[str], str]) -> None:
        self._secrets = secrets
        self._name_of = name_of

    def webhook_secrets(self) -> list[str]:
        """The signing secrets in force: two while one is being rolled.

        Raises `Retryable` (`NotConfigured`) when there is none: an empty secret disables the webhook and
        never weakens it, since anyone can sign with an empty key.
        """
        secrets = [one.value for one in read_secrets(self._value(WEBHOOK_SECRETS))]
        if not secrets:
            raise Retryable("NotConfigured", "no webhook signing secret is stored")
        return secrets

    def signing_secrets(self) -> list[SigningSecret]:
        """The same as they are stored now, with the endpoints that they are of; empty if there is none."""
        return read_secrets(self._value(WEBHOOK_SECRETS, fresh=True))

    def store_signing_secrets(self, secrets: Sequence[SigningSecret]) -> None:
        self._secrets.store(self._name_of(WEBHOOK_SECRETS), secrets_text(secrets))

    def stripe_api_key(self, *, fresh: bool = False) -> str:
        """`fresh` reads it past the cache: for when Stripe refuses the one that is kept.

        Raises `Retryable` (`NotConfigured`) when there is none.
        """
        return self._required("stripe_api_key", "no Stripe API key is stored", fresh=fresh)

    def joinmake_api_key(self) -> str:
        """Raises `Retryable` (`NotConfigured`) when there is none."""
        return self._required("joinmake_api_key", "no Join&make API key is stored")

    def _required(self, noun: str, missing: str, *, fresh: bool = False) -> str:
        value = self._value(noun, fresh=fresh)
        if not value:
            raise Retryable("NotConfigured", missing)
        return value

    def _value(self, noun: str, *, fresh: bool = False) -> str:
        name = self._name_of(noun)
        return (self._secrets.value(name, max_age_seconds=0) if fresh else self._secrets.value(name)).strip()
