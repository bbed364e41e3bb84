"""A browser without a window: the Chromium of the system, since none is downloaded."""

import os
import shutil
from collections.abc import Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from local.stack import Stack
from tests.browser.customer import Customer
from tests.e2e.shop import Shop

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_MS = 60_000
FLAGS = (
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip("no Chromium on PATH; on Debian: apt-get install chromium")
    # Chromium's sandbox refuses to work for root, as in a container.
    sandbox = os.geteuid() != 0
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=list(FLAGS), chromium_sandbox=sandbox
        )
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def shop(stack: Stack) -> Iterator[Shop]:
    shop = Shop(stack)
    yield shop
    shop.close()


@pytest.fixture
def customer(browser: Browser, stack: Stack) -> Iterator[Customer]:
    """A customer of one's own for each test, whose browser has nothing to complain about in the end."""
    context = browser.new_context(locale="ja-JP", timezone_id="Asia/Tokyo", reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    customer = Customer(context, stack, f"mike {uuid4().hex}")
    yield customer
    context.close()
    assert customer.errors == []
