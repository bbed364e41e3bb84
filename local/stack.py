"""The local stack: programs, what Terraform lays, the deployed template, a stocked shop, a webhook."""

import fcntl
import json
import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from local import programs
from local.names import (
    ACCOUNT,
    API_ID,
    AWS_CREDENTIALS,
    JOINMAKE_API_KEY,
    PREFIX,
    REALTIME_API_ID,
    REGION,
    STAGE,
    STRIPE_ACCOUNT_API_VERSION,
    STRIPE_API_KEY,
    WEB3AUTH_CLIENT_ID,
    loopback,
)
from local.process import StartError
from local.running import DESCRIPTION, SAM

API_VERSION_VARIABLE = "NYANKO_STRIPE_ACCOUNT_API_VERSION"
"""Names another default API version of the Stripe account (docs/local.md)."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the programs listen on 127.0.0.1."""

    aws: int
    stepfunctions: int
    stripe: int
    web3auth: int
    joinmake: int
    web: int

    @classmethod
    def from_base(cls, base: int) -> Self:
        return cls(*range(base, base + len(fields(cls))))

    @classmethod
    def free(cls) -> Self:
        """Ports on which nobody listens at this moment."""
        with ExitStack() as held:
            probes = [held.enter_context(socket.socket()) for _ in fields(cls)]
            for probe in probes:
                probe.bind(("127.0.0.1", 0))
            return cls(*(probe.getsockname()[1] for probe in probes))

    @property
    def of_functions(self) -> list[int]:
        """Those that functions speak to: all but the demo shop's."""
        return [port for program, port in asdict(self).items() if program != "web"]

    def require_free(self) -> None:
        """Raise `StartError` naming the first port on which somebody listens already."""
        for program, port in asdict(self).items():
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError as error:
                    raise StartError(
                        f"port {port} ({program}): {error.strerror}. Stop what listens there, or choose the "
                        f"first of {len(fields(self))} other ports in a row with NYANKO_PORT_BASE."
                    ) from None


class Stack:
    """While it is entered the whole system runs; at first its tables hold the catalog alone.

    `frontend` is where Checkout sends players back to, and whose origin may call the APIs: the demo shop,
    unless another page is named. `stripe_api_version` is the default API version of the Stripe account.

    A program that dies is started again: ministack as fresh as at the start, the others without what they
    knew. All files are in `directory`: `stack.json`, which tells other programs where everything is, and
    `logs/`. Entering raises `StartError`, and then leaves nothing running.
    """

    def __init__(
        self,
        ports: Ports,
        directory: Path,
        frontend: str | None = None,
        stripe_api_version: str | None = None,
    ) -> None:
        self.ports = ports
        self.stripe_api_version = (
            stripe_api_version or os.environ.get(API_VERSION_VARIABLE) or STRIPE_ACCOUNT_API_VERSION
        )
        self.directory = directory.resolve()
        self.aws = loopback(ports.aws)
        self.stepfunctions = loopback(ports.stepfunctions)
        self.stripe = loopback(ports.stripe)
        self.web3auth = loopback(ports.web3auth)
        self.joinmake = loopback(ports.joinmake)
        self.web = f"{loopback(ports.web)}/shop/"
        self.frontend = frontend or self.web
        self.frontend_origin = "{0.scheme}://{0.netloc}".format(urlsplit(self.frontend))
        self.api = f"{self.aws}/_aws/execute-api/{API_ID}/{STAGE}"
        self.ws = f"ws://127.0.0.1:{ports.aws}/_aws/execute-api/{REALTIME_API_ID}/{STAGE}"
        self.outputs: dict[str, str] = {}
        self.webhook_secret = ""
        self.processes = {
            process.name: process
            for process in (
                programs.ministack(ports.aws, self.directory, on_restart=self._furnish),
                programs.stepfunctions(ports.stepfunctions, ports.aws, self.directory),
                programs.stripe(
                    ports.stripe,
                    self.stripe_api_version,
                    self.directory,
                    on_restart=self._reconnect_stripe,
                ),
                programs.web3auth(ports.web3auth, self.directory),
                programs.joinmake(ports.joinmake, self.directory),
                programs.web(ports.web, self.api, self.web3auth, self.directory),
            )
        }
        self._furnishing = threading.RLock()
        self._running = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as running:
            running.enter_context(_sole_user_of(self.directory))
            self.ports.require_free()
            for process in self.processes.values():
                process.start()
                running.callback(process.stop)
            self._furnish()
            for process in self.processes.values():
                process.keep_alive()
            running.callback(shutil.rmtree, self.directory / SAM)
            description = self.directory / DESCRIPTION
            description.write_text(json.dumps(self.description, indent=2) + "\n")
            running.callback(description.unlink, missing_ok=True)
            self._running = running.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    @property
    def description(self) -> dict[str, str]:
        """What other programs need to know, as in `stack.json`."""
        return {
            "stage": STAGE,
            "region": REGION,
            "account": ACCOUNT,
            "api": self.api,
            "ws": self.ws,
            "aws": self.aws,
            "stepfunctions": self.stepfunctions,
            "stripe": self.stripe,
            "stripe_account_api_version": self.stripe_api_version,
            "web3auth": self.web3auth,
            "joinmake": self.joinmake,
            "web": self.web,
            "frontend": self.frontend,
            "webhook_secret": self.webhook_secret,
        }

    def _furnish(self) -> None:
        # Imported while the programs start, which takes as long.
        from local import foundation, sam
        from local.deploy import deploy, require_machines
        from local.seed import seed

        with self._furnishing:
            self.processes["ministack"].await_health()
            parameters = {
                "web3auth_client_id": WEB3AUTH_CLIENT_ID,
                "web3auth_issuers": json.dumps(
                    [
                        {"issuer": issuer, "jwks_url": f"{issuer}/jwks"}
                        for issuer in (self.web3auth, f"{self.web3auth}/external")
                    ]
                ),
                "joinmake_api_url": self.joinmake,
                "stripe_api_url": self.stripe,
                "frontend_url": self.frontend,
                "frontend_origin": self.frontend_origin,
                "realtime_url": self.ws,
            }
            foundation.lay(self.aws, parameters)
            foundation.store_secret(self.aws, "stripe_api_key", STRIPE_API_KEY)
            foundation.store_secret(self.aws, "joinmake_api_key", JOINMAKE_API_KEY)
            seed(self.aws, f"{PREFIX}_products")
            self.outputs = deploy(self.aws, self._functions_environment())
            for process in self.processes.values():
                process.await_health()
            require_machines(self.aws, self.stepfunctions)
            self._connect_stripe()
            sam.write(self.directory / SAM, self.aws, parameters)

    def _functions_environment(self) -> dict[str, str]:
        """What keeps the functions' clients on this machine."""
        return {
            **AWS_CREDENTIALS,
            "AWS_ENDPOINT_URL": self.aws,
            "AWS_ENDPOINT_URL_SFN": self.stepfunctions,
            "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI": self.ws.replace("ws:", "http:"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "FUNCTION_CALLS": str(self.directory / "logs" / "aws_calls.jsonl"),
        }

    def _connect_stripe(self) -> None:
        """Tell Stripe of the webhook, and the webhook of its signing secret."""
        from local.foundation import store_secret
        from local.webhook import create_endpoint

        with self._furnishing:
            self.webhook_secret = create_endpoint(self.stripe, STRIPE_API_KEY, f"{self.api}/stripe/webhook")
            store_secret(self.aws, "stripe_webhook_secrets", self.webhook_secret)

    def _reconnect_stripe(self) -> None:
        from local.deploy import renew_functions

        with self._furnishing:
            self._connect_stripe()
            renew_functions(self.aws)


@contextmanager
def _sole_user_of(directory: Path) -> Iterator[None]:
    logs = directory / "logs"
    for folder in (logs, directory / "tmp"):
        folder.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartError(
                f"another stack uses {directory}. Stop it, or choose another folder with NYANKO_LOCAL_DIR."
            ) from None
        for leftover in (*logs.glob("*.log"), directory / DESCRIPTION):
            leftover.unlink(missing_ok=True)
        yield
