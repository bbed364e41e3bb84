"""Clients that Stripe wrote drive the stand-in: the `stripe` package for Node, and Stripe's own CLI.

They are pinned in `node/package-lock.json` and installed by npm when they are first needed. Without Node and
npm, or without a registry to install from, these tests say so and are skipped.
"""

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import stripe

from tests.integration.stripe_shop import API_VERSION, PATIENCE_SECONDS, Arrival, Shop

NODE = Path(__file__).parent / "node"
INSTALL_SECONDS = 120
CLIENT_SECONDS = 60
OLD = "2020-08-27"
COMPLETED = "checkout.session.completed"


@pytest.fixture(scope="session")
def installed() -> Path:
    """The folder with what npm has installed."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("Node and npm are not on PATH")
    listed = NODE / "node_modules" / ".package-lock.json"
    if not listed.is_file() or listed.stat().st_mtime < (NODE / "package-lock.json").stat().st_mtime:
        command = [npm, "ci", "--loglevel=error", "--no-audit", "--no-fund", "--ignore-scripts"]
        done = subprocess.run(
            command, cwd=NODE, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
        )
        if done.returncode != 0:
            pytest.skip(f"npm ci could not install {NODE.name}/package-lock.json: {done.stderr[:300]}")
    return NODE / "node_modules"


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Shop(account_version=OLD) as shop:
        yield shop


# Node


@pytest.fixture
def drive(installed: Path, shop: Shop) -> Any:
    """Run a scenario of `node/drive.mjs`; returns what it tells."""

    def run(scenario: str, told: object = None) -> dict[str, Any]:
        done = subprocess.run(
            [shutil.which("node") or "node", "drive.mjs", shop.stand_in.url, "sk_test_nyanko", scenario],
            cwd=installed.parent,
            input=json.dumps(told),
            capture_output=True,
            text=True,
            timeout=CLIENT_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    return run


def test_the_node_sdk_buys_and_expands_what_it_bought(drive: Any) -> None:
    assert drive("purchase") == {
        "status": 303,
        "payment_status": "paid",
        "metadata": {"purchase_id": "pur_node"},
        "fee": 36,
        "line": "ねこ缶",
        "version": API_VERSION,
    }


def test_the_node_sdk_verifies_what_is_delivered(drive: Any, shop: Shop) -> None:
    shop.subscribe(COMPLETED)
    shop.sell_and_pay()
    [arrival] = shop.webhook.wait_for(bool)
    told = {"body": arrival.body.decode(), "signature": arrival.signature, "secret": shop.secret}
    assert drive("verify", told=told) == {
        "type": COMPLETED,
        "api_version": API_VERSION,
        "status": "paid",
        "refused": "StripeSignatureVerificationError",
    }


# Stripe's CLI


class Cli:
    """Stripe's CLI, with a home of its own, away from the network of Stripe."""

    def __init__(self, program: Path, home: Path, shop: Shop) -> None:
        self._program = program
        self._shop = shop
        self._environment = {
            "HOME": str(home),
            "PATH": os.environ["PATH"],
            "STRIPE_CLI_TELEMETRY_OPTOUT": "1",
            # Whoever is neither the stand-in nor the shop is not reached.
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "NO_PROXY": "127.0.0.1",
        }

    def _command(self, *words: str) -> list[str]:
        account = ["--api-key", "sk_test_nyanko", "--api-base", self._shop.stand_in.url]
        return [str(self._program), *words, *account, "--color", "off"]

    def run(self, *words: str) -> str:
        done = subprocess.run(
            self._command(*words),
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=CLIENT_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def listening(self, *words: str) -> Iterator[str]:
        """Listen until the end of the block; gives the signing secret that the CLI was told."""
        command = self._command("listen", "--skip-update", "--forward-to", self._shop.webhook.url, *words)
        with subprocess.Popen(
            command, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            try:
                assert process.stdout is not None
                said = ""
                while not (secret := re.search(r"secret is (whsec_\w+)", said)):
                    line = process.stdout.readline()
                    assert line, said
                    said += line
                yield secret[1]
            finally:
                process.send_signal(signal.SIGINT)
                process.wait(PATIENCE_SECONDS)


@pytest.fixture
def cli(installed: Path, tmp_path: Path, shop: Shop) -> Cli:
    found = list((installed / "@stripe").glob("cli-*/bin/stripe"))
    if not found:
        pytest.skip("@stripe/cli has no program for this machine")
    return Cli(found[0], tmp_path, shop)


def types(arrivals: list[Arrival]) -> set[str]:
    return {json.loads(arrival.body)["type"] for arrival in arrivals}


def test_the_cli_triggers_a_completed_session(cli: Cli, shop: Shop) -> None:
    shop.subscribe(COMPLETED)
    assert "Trigger succeeded" in cli.run("trigger", COMPLETED)
    [event] = shop.received(COMPLETED)
    session = event.data.object
    assert (session["payment_status"], session["amount_total"], session["currency"]) == ("paid", 3000, "usd")
    [charge] = shop.stripe.v1.charges.list().data
    assert charge.billing_details.name == "Jenny Rosen"
    details: Any = charge.payment_method_details
    assert details.card.last4 == "4242"


@pytest.mark.parametrize(
    ("event_type", "status"),
    [
        ("charge.refunded", "succeeded"),
        ("charge.dispute.created", "warning_needs_response"),
        ("payment_intent.succeeded", "succeeded"),
        ("payment_intent.payment_failed", "requires_payment_method"),
    ],
)
def test_the_cli_triggers_what_happens_to_payments(
    cli: Cli, shop: Shop, event_type: str, status: str
) -> None:
    shop.subscribe(event_type)
    assert "Trigger succeeded" in cli.run("trigger", event_type)
    [event] = shop.received(event_type)
    assert event.data.object["status"] == status


def test_the_cli_resends_an_event_to_one_endpoint(cli: Cli, shop: Shop) -> None:
    endpoint = shop.subscribe(COMPLETED)
    shop.sell_and_pay()
    [event] = shop.received(COMPLETED)
    with Shop() as other:
        elsewhere: Any = {"url": other.webhook.url, "enabled_events": [COMPLETED]}
        shop.stripe.v1.webhook_endpoints.create(elsewhere)
        told = json.loads(cli.run("events", "resend", event.id, "--webhook-endpoint", endpoint.id))
        assert (told["id"], told["api_version"]) == (event.id, OLD)
        arrivals = shop.webhook.wait_for(lambda seen: len(seen) == 2)
        assert {one.id for one in shop.verified(arrivals)} == {event.id}
        unknown = json.loads(cli.run("events", "resend", event.id, "--webhook-endpoint", "we_nobody"))
        assert unknown["error"]["param"] == "webhook_endpoint"
        assert (len(shop.webhook.arrivals), other.webhook.arrivals) == (2, [])


@pytest.mark.parametrize(("choice", "version"), [((), OLD), (("--latest",), API_VERSION)])
def test_the_cli_forwards_what_it_listens_to(
    cli: Cli, shop: Shop, choice: tuple[str, ...], version: str
) -> None:
    with cli.listening("--events", f"{COMPLETED},charge.succeeded", *choice) as secret:
        shop.sell_and_pay()
        arrivals = shop.webhook.wait_for(lambda seen: types(seen) == {COMPLETED, "charge.succeeded"})
    events = [stripe.Webhook.construct_event(one.body, one.signature, secret) for one in arrivals]
    assert [event.api_version for event in events] == [version, version]
