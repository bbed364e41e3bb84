"""Secrets of Secrets Manager, read anew so often that a new one is in force within minutes."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from nyanko.errors import Retryable

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

MAX_AGE_SECONDS = 300

RETRY_SECONDS = 60
"""How long Secrets Manager is left alone after it failed, while an older value is used on."""

MAX_STALE_SECONDS = 3600
"""How long a secret is used on while Secrets Manager fails: a payment that waits costs more than a secret
that was rolled less than an hour ago, which its owner may still accept."""


class Secrets:
    """Keeps each secret for `MAX_AGE_SECONDS`; `now` gives epoch seconds UTC, `client` is called to read.

    `on_stale` is called with the secret's name whenever an older value is used, because no newer one could be
    read; never when it is older than `MAX_STALE_SECONDS`.
    """

    def __init__(
        self,
        client: "Callable[[], SecretsManagerClient]",
        now: Callable[[], int],
        on_stale: Callable[[str], object] = lambda _: None,
    ) -> None:
        self._client = client
        self._now = now
        self._on_stale = on_stale
        self._kept: dict[str, tuple[int, str]] = {}
        self._failed_at: dict[str, int] = {}

    def value(self, name: str, *, max_age_seconds: int = MAX_AGE_SECONDS) -> str:
        """The secret, or "" as long as it has no value, which is not kept.

        It was read no longer than `max_age_seconds` ago: 0 reads it anew, unless Secrets Manager has just
        failed.

        Raises `Retryable` (`ServiceUnavailable`) when it could not be read, for whatever reason.
        """
        now = self._now()
        read_at, kept = self._kept.get(name, (0, ""))
        is_usable = kept != "" and now - read_at < MAX_STALE_SECONDS
        failed_lately = now - self._failed_at.get(name, 0) < RETRY_SECONDS
        if kept and now - read_at < max_age_seconds:
            return kept
        if is_usable and failed_lately:
            self._on_stale(name)
            return kept
        try:
            value = self._client().get_secret_value(SecretId=name)["SecretString"]
        except self._client().exceptions.ResourceNotFoundException:
            return ""
        except (BotoCoreError, ClientError) as error:
            if is_usable:
                self._failed_at[name] = now
                self._on_stale(name)
                return kept
            raise Retryable("ServiceUnavailable", f"the secret {name} could not be read") from error
        self._kept[name] = now, value
        return value

    def store(self, name: str, value: str) -> None:
        """Give the secret a new value, which others learn of within `MAX_AGE_SECONDS`."""
        self._client().put_secret_value(SecretId=name, SecretString=value)
        self._kept.pop(name, None)
