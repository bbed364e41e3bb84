"""Secrets of Secrets Manager, read anew so often that a new one is in force within minutes."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from nyanko.errors import Retryable

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

MAX_AGE_SECONDS = 300


class Secrets:
    """Keeps each secret for `MAX_AGE_SECONDS`; `now` gives epoch seconds UTC."""

    def __init__(self, client: "SecretsManagerClient", now: Callable[[], int]) -> None:
        self._client = client
        self._now = now
        self._kept: dict[str, tuple[int, str]] = {}

    def value(self, name: str) -> str:
        """The secret, or "" as long as it has no value, which is not kept.

        Raises `Retryable` (`ServiceUnavailable`) when it could not be read, for whatever reason.
        """
        now = self._now()
        if name in self._kept:
            read_at, value = self._kept[name]
            if now - read_at < MAX_AGE_SECONDS:
                return value
        try:
            value = self._client.get_secret_value(SecretId=name)["SecretString"]
        except self._client.exceptions.ResourceNotFoundException:
            return ""
        except (BotoCoreError, ClientError) as error:
            raise Retryable("ServiceUnavailable", f"the secret {name} could not be read") from error
        self._kept[name] = now, value
        return value
