"""AWS's clients, all with the same timeouts and retries, whoever calls."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.session import Session

CONNECT_TIMEOUT_SECONDS = 2
READ_TIMEOUT_SECONDS = 5
ATTEMPTS = 3
CONNECTIONS = 10


class Clients:
    """Each client is built on first use and kept.

    All are of one session, which reads its data only once; `session` makes it. boto3's own clients are made
    by botocore too; boto3 would import its resources and S3's transfers besides. `endpoints` are URLs by
    service, "" for all others; without any the SDK itself decides.
    """

    def __init__(self, session: "Callable[[], Session]", endpoints: Mapping[str, str] | None = None) -> None:
        self._make_session = session
        self._endpoints = endpoints or {}
        self._session: Session | None = None
        self._built: dict[tuple[object, ...], Any] = {}

    def __call__(
        self,
        service: str,
        *,
        attempts: int = ATTEMPTS,
        connections: int = CONNECTIONS,
        read_timeout_seconds: float = READ_TIMEOUT_SECONDS,
    ) -> Any:  # noqa: ANN401 each service's client has a type of its own
        """A client that makes up to `attempts` attempts and keeps up to that many connections."""
        key = (service, attempts, connections, read_timeout_seconds)
        if key not in self._built:
            self._built[key] = self._build(*key)
        return self._built[key]

    @property
    def session(self) -> "Session":
        if self._session is None:
            self._session = self._make_session()
        return self._session

    def _build(self, service: str, attempts: int, connections: int, read_timeout_seconds: float) -> Any:  # noqa: ANN401
        from botocore.config import Config

        return self.session.create_client(
            service,
            endpoint_url=self._endpoints.get(service) or self._endpoints.get(""),
            config=Config(
                connect_timeout=CONNECT_TIMEOUT_SECONDS,
                read_timeout=read_timeout_seconds,
                retries={"mode": "standard", "total_max_attempts": attempts},
                max_pool_connections=connections,
            ),
        )
