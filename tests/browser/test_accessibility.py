"""What axe-core finds on the pages, by the rules of WCAG 2.2 A and AA and its own best practices."""

import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from local.stack import Stack
from tests.browser.customer import Customer
from tests.e2e.shop import Player, Shop

AXE = "axe-core@4.14.1"
SECONDS_TO_FETCH = 120
LEGAL = ["tokushoho", "shikin-kessaiho"]
Look = Callable[[Page], list[str]]


@pytest.fixture(scope="package")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The script, fetched as it is needed and never part of this repository."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm on PATH to fetch axe-core with")
    folder = tmp_path_factory.mktemp("axe")
    options = ["--no-save", "--ignore-scripts", "--no-audit", "--no-fund"]
    fetched = subprocess.run(
        [npm, "install", *options, "--prefix", str(folder), AXE],
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_TO_FETCH,
    )
    if fetched.returncode != 0:
        pytest.skip(f"npm could not fetch {AXE}: {fetched.stderr.strip()}")
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text()


@pytest.fixture
def violations(axe: str) -> Look:
    def look(page: Page) -> list[str]:
        page.evaluate(axe)
        found: dict[str, Any] = page.evaluate("axe.run()")
        assert found["passes"]
        return [
            f"{violation['id']}: {node['html']}"
            for violation in found["violations"]
            for node in violation["nodes"]
        ]

    return look


def test_axe_notices_what_is_wrong(customer: Customer, violations: Look) -> None:
    page = customer.open_shop()
    page.evaluate("document.querySelector('h1').innerHTML = '<img src=icon.svg>'")
    assert any(found.startswith("image-alt") for found in violations(page))


def test_the_shop_before_signing_in(customer: Customer, violations: Look) -> None:
    assert violations(customer.open_shop()) == []


def test_the_shop_with_items_history_and_notices(shop: Shop, customer: Customer, violations: Look) -> None:
    customer.open_shop()
    customer.sign_in()
    shop.pay(Player(shop, customer.name).order()["url"])
    expect(customer.page.locator("[data-notice]")).to_have_count(1)
    customer.has_one_purchase_that_is("granted")
    assert violations(customer.page) == []


def test_the_confirmation_of_an_order(customer: Customer, violations: Look) -> None:
    customer.open_shop()
    customer.sign_in()
    customer.choose("ちゅ〜るパーティーセット", quantity=3)
    expect(customer.page.get_by_role("dialog")).to_be_visible()
    assert violations(customer.page) == []


def test_the_shop_on_a_phone(customer: Customer, violations: Look) -> None:
    page = customer.open_shop()
    page.set_viewport_size({"width": 360, "height": 740})
    assert violations(page) == []


@pytest.mark.parametrize("name", LEGAL)
def test_the_legal_pages(customer: Customer, stack: Stack, violations: Look, name: str) -> None:
    page = customer.context.new_page()
    page.goto(f"{stack.frontend_origin}/legal/{name}.html")
    assert violations(page) == []
