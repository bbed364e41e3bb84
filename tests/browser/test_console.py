"""The operators' console in a real browser: what waits, where it failed, what a replay would do, and does."""

import re
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from local.stack import Stack
from ops.console.app import create_app
from ops.stages import local_stage
from tests.browser.customer import SCREENSHOTS
from tests.e2e.shop import Player, Shop, broken, eventually

STARTER_PACK = {"nyan_coin": 100, "catnip": 5, "red_ribbon": 1}


@pytest.fixture(scope="module")
def console(stack: Stack) -> Iterator[str]:
    """The URL that lets a browser in."""
    key = secrets.token_urlsafe()
    server = make_server("127.0.0.1", 0, create_app(local_stage(stack.directory), key), threaded=True)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    yield f"http://127.0.0.1:{server.port}/?key={key}"
    server.shutdown()
    serving.join()
    server.server_close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A browser that runs no JavaScript: the console needs none."""
    context = browser.new_context(java_script_enabled=False, viewport={"width": 1200, "height": 900})
    context.set_default_timeout(30_000)
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    yield page
    context.close()
    assert errors == []


@pytest.fixture
def player(shop: Shop) -> Player:
    return Player(shop, f"mike {uuid4().hex}")


def parked_event(shop: Shop, player: Player, function: str) -> tuple[str, str]:
    """A paid purchase whose event could not go on, though by now it could."""
    with broken(shop, function):
        opened = player.order()
        assert shop.pay(opened["url"]).status == 303
        [event] = eventually(
            lambda: shop.events_of(opened["purchase_id"], "checkout.session.completed"), bool
        )
        assert shop.event_state(event["id"]) == "parked"
    return str(event["id"]), str(opened["purchase_id"])


def marked(page: Page, mark: str) -> set[str]:
    """The states that the drawing marks."""
    drawn = page.locator(f"svg g.{mark}")
    return {str(drawn.nth(number).get_attribute("data-state")) for number in range(drawn.count())}


def test_a_parked_event_is_seen_foreseen_and_replayed_by_a_button(
    page: Page, console: str, shop: Shop, player: Player
) -> None:
    event_id, purchase_id = parked_event(shop, player, "grant_items")
    page.goto(console)
    row = page.locator("#waiting tr", has_text=event_id)
    expect(row).to_contain_text("ResourceNotFoundException")
    expect(row).to_contain_text("500")
    row.get_by_role("link", name=event_id).click()

    assert marked(page, "failed") == {"GrantItems"}
    assert marked(page, "passed") >= {"VerifyEvent", "ClaimEvent", "RecordPayment", "ParkEvent", "Parked"}
    expect(page.get_by_role("cell", name="parked", exact=True)).to_be_visible()
    screenshot(page, "console-event")

    page.get_by_role("button", name="Dry-run a replay").click()
    plan = page.locator("section.plan", has_text=purchase_id)
    expect(plan.locator("tr", has_text="granted").first).to_contain_text("paid")
    for item_id, count in STARTER_PACK.items():
        expect(plan.locator("tr", has_text=item_id)).to_have_text(re.compile(rf"{item_id}\s*0\s*{count}"))
    assert player.items() == {}
    screenshot(page, "console-dry-run")

    page.get_by_label("Why").fill("mended")
    page.get_by_role("button", name="Replay", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("applied")
    expect(page.get_by_role("heading", level=2).first).to_have_text(f"{event_id}-r1 SUCCEEDED")
    assert marked(page, "failed") == set()
    expect(page.locator("table", has_text="mended").first).to_contain_text(f"{event_id}-r1")
    expect(page.get_by_role("button", name="Dry-run a replay")).to_have_count(0)
    assert player.items() == STARTER_PACK

    page.get_by_role("link", name="nyanko console").click()
    expect(page.locator("#waiting", has_text=event_id)).to_have_count(0)


def test_purchases_and_players_tell_their_story(page: Page, console: str, shop: Shop, player: Player) -> None:
    opened = player.order()
    assert shop.pay(opened["url"]).status == 303
    assert player.status_becomes(opened["purchase_id"], "granted")
    page.goto(console)
    page.get_by_role("link", name=opened["purchase_id"]).last.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("granted")
    for what in ("checkout", "session", "event", "received", "execution", "ledger", "applied"):
        expect(page.get_by_role("cell", name=what, exact=True).first).to_be_visible()
    page.locator("main a[href^='/players/']").click()
    expect(page.locator("tr", has_text="nyan_coin").first).to_contain_text("100")


def screenshot(page: Page, name: str) -> Path:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    file = SCREENSHOTS / f"{name}.png"
    page.screenshot(path=file)
    return file
