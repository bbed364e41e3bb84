"""The stack tells its Stripe account's default API version, and lets it be chosen."""

from pathlib import Path

import pytest
import requests

from local.names import STRIPE_ACCOUNT_API_VERSION, STRIPE_API_KEY
from local.stack import API_VERSION_VARIABLE, Ports, Stack
from tests.integration.stripe_shop import PATIENCE_SECONDS


def test_the_stack_tells_the_version_that_its_stripe_account_has(stack: Stack) -> None:
    answer = requests.get(
        f"{stack.stripe}/v1/events",
        headers={"Authorization": f"Bearer {STRIPE_API_KEY}"},
        timeout=PATIENCE_SECONDS,
    )
    assert answer.headers["Stripe-Version"] == stack.description["stripe_account_api_version"]


def test_the_version_is_chosen_by_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def version() -> str:
        return Stack(Ports.free(), tmp_path).description["stripe_account_api_version"]

    monkeypatch.delenv(API_VERSION_VARIABLE, raising=False)
    assert version() == STRIPE_ACCOUNT_API_VERSION
    monkeypatch.setenv(API_VERSION_VARIABLE, "2025-03-31.basil")
    assert version() == "2025-03-31.basil"
    assert Stack(Ports.free(), tmp_path, stripe_api_version="2020-08-27").stripe_api_version == "2020-08-27"
