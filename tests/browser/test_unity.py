"""The plugin for Unity, linked as Emscripten does it and called as NyankoShop.cs does it."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.customer import Customer
from tests.e2e.shop import GOOD_CARD, Player, Shop, eventually
from tests.template import ROOT

PLUGIN = (ROOT / "web" / "unity" / "JmNyanko.jslib").read_text()
SCRIPT = (ROOT / "web" / "unity" / "NyankoShop.cs").read_text()

LINKER = """([plugin, token]) => {
  globalThis.sent = [];
  globalThis.flushed = 0;
  globalThis.unity = {};
  const LibraryManager = { library: unity };
  const runtime = {
    SendMessage: (object, method, message) => sent.push([object, method, message]),
    UTF8ToString: (pointer) => pointer,
    FS: { syncfs: (populate, done) => { flushed += 1; done(globalThis.diskIsFull ?? null); } },
    LibraryManager,
    mergeInto: Object.assign,
  };
  globalThis.JmNyankoSignIn = () => token;
  Object.assign(globalThis, runtime);
}"""


@pytest.fixture
def player(shop: Shop, customer: Customer) -> Player:
    return Player(shop, customer.name)


@pytest.fixture
def unity(shop: Shop, customer: Customer, player: Player) -> Page:
    page = customer.context.new_page()
    page.goto(f"{shop.stack.frontend_origin}/legal/tokushoho.html")
    page.add_script_tag(url="/client/jm_nyanko.js")
    page.evaluate(LINKER, ["", player.token])
    page.evaluate(PLUGIN)
    page.evaluate("globalThis.JmNyankoBridge = unity.$JmNyankoBridge")
    page.evaluate("(apiUrl) => unity.JmNyankoStart('Shop', apiUrl)", shop.stack.api)
    return page


def sent(page: Page, method: str) -> list[Any]:
    """What the C# script was told by this method."""
    messages: list[str] = page.evaluate(
        """(wanted) => sent
          .filter(([object, method]) => object === "Shop" && method === wanted)
          .map(([, , message]) => message)""",
        method,
    )
    return messages


def answer(page: Page, number: int) -> dict[str, Any]:
    """What `OnAnswer` makes of the answer to a call."""
    [told] = eventually(
        lambda: [one for one in map(json.loads, sent(page, "OnAnswer")) if one["call"] == number], bool
    )
    return {"code": told["code"], "value": json.loads(told["result"])["value"] if told["ok"] else None}


def test_calls_are_answered_in_shapes_that_unity_can_read(unity: Page) -> None:
    unity.evaluate("""() => unity.JmNyankoCall(1, "products", '{"value":[]}')""")
    stamp = next(one for one in answer(unity, 1)["value"] if one["product_id"] == "paw_stamp")
    assert stamp["items"] == [{"item_id": "paw_stamp", "quantity": 1}]


def test_a_purchase_saves_the_game_and_leads_to_stripes_page(
    unity: Page, player: Player, customer: Customer
) -> None:
    unity.evaluate("() => unity.JmNyankoBuy(1, 'paw_stamp', 2, 0)")
    customer.page = unity
    unity.wait_for_url("**/c/pay/**")
    customer.pay_by_card(GOOD_CARD)
    assert eventually(player.items, bool) == {"paw_stamp": 2}


def test_a_game_that_cannot_save_does_not_leave(unity: Page) -> None:
    here = unity.url
    unity.evaluate(
        "() => { globalThis.diskIsFull = Object.assign(new Error('full'), { code: 'DiskFull' }); }"
    )
    unity.evaluate("() => unity.JmNyankoBuy(1, 'paw_stamp', 1, 0)")
    assert answer(unity, 1) == {"code": "DiskFull", "value": None}
    assert (unity.url, unity.evaluate("flushed")) == (here, 1)


def test_notices_inventory_and_connection_reach_the_script(shop: Shop, unity: Page, player: Player) -> None:
    assert eventually(lambda: sent(unity, "OnConnection"), lambda told: "open" in told)
    shop.pay(player.order("paw_stamp")["url"])
    [notice] = map(json.loads, eventually(lambda: sent(unity, "OnNotice"), bool))
    assert notice["items"] == [{"item_id": "paw_stamp", "quantity": 1}]
    assert notice["purchase"]["status"] == "granted"
    assert json.loads(sent(unity, "OnInventory")[-1])["value"] == [
        {"item_id": "paw_stamp", "quantity": 1, "owed": 0}
    ]


def test_a_refusal_has_its_code(unity: Page, customer: Customer) -> None:
    unity.evaluate("""() => unity.JmNyankoCall(7, "spend", '{"value":["paw_stamp",1,"s1"]}')""")
    assert answer(unity, 7)["code"] == "NotEnough"
    customer.expect_errors("status of 409")


def test_script_and_plugin_call_each_other_by_names_that_exist() -> None:
    imported = re.findall(r"static extern void (\w+)\(([^)]*)\)", SCRIPT)
    exported = re.findall(r"^  (JmNyanko\w+): function \(([^)]*)\)", PLUGIN, re.MULTILINE)
    assert {name: parameters.count(",") for name, parameters in imported} == {
        name: parameters.count(",") for name, parameters in exported
    }
    told = set(re.findall(r'"(On[A-Z]\w+)"', PLUGIN))
    assert told
    assert told <= set(re.findall(r"void (On\w+)\(string ", SCRIPT))
