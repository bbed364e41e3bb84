"""The client library by itself, as a game calls it."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, WebSocketRoute

from tests.browser.customer import Customer
from tests.e2e.shop import Player, Shop, eventually
from tests.template import ROOT

CLIENT = ROOT / "web" / "client"


@pytest.fixture
def player(shop: Shop, customer: Customer) -> Player:
    return Player(shop, customer.name)


@pytest.fixture
def game(shop: Shop, customer: Customer, player: Player) -> Page:
    """A page without a shop, in which `game(options)` makes the player's client and notes what it is told."""
    page = customer.context.new_page()
    page.goto(f"{shop.stack.frontend_origin}/legal/tokushoho.html")
    page.add_script_tag(url="/client/jm_nyanko.js")
    page.evaluate(
        """([apiUrl, token]) => {
          globalThis.told = { notices: [], states: [], errors: [], asked: 0 };
          globalThis.game = (options = {}) => new JmNyanko.Client({
            apiUrl,
            signIn: () => { told.asked += 1; return token; },
            onNotice: (notice) => told.notices.push(notice.notice_id),
            onConnection: (state) => told.states.push(state),
            onError: (error) => told.errors.push(error.code ?? String(error)),
            ...options,
          });
          globalThis.refusal = (call) => call.then(
            () => null, ({ code, status, figures }) => ({ code, status, figures }),
          );
        }""",
        [shop.stack.api, player.token],
    )
    return page


def told(page: Page) -> Any:
    return page.evaluate("told")


def becomes_true(page: Page, expression: str) -> None:
    assert eventually(lambda: page.evaluate(expression), bool), (expression, told(page))


def test_the_module_and_the_classic_script_are_one(game: Page) -> None:
    assert game.evaluate(
        """async () => {
          const exported = await import("/client/jm_nyanko.mjs");
          return Object.entries(JmNyanko).every(([name, value]) => exported[name] === value)
            && Object.keys(exported).length === Object.keys(JmNyanko).length;
        }"""
    )


def test_the_types_name_what_the_client_has(game: Page) -> None:
    described = (CLIENT / "jm_nyanko.d.ts").read_text()
    body = described[described.index("export class Client") :].split("\n}", 1)[0]
    methods = re.findall(r"^  (\w+)\(", body, re.MULTILINE)
    assert sorted(methods) == sorted(game.evaluate("Object.getOwnPropertyNames(JmNyanko.Client.prototype)"))


def test_a_game_that_cannot_save_stays_where_it_is(game: Page, player: Player) -> None:
    here = game.url
    refused = game.evaluate(
        """() => refusal(game().buy("paw_stamp", 1, {
          beforeRedirect: async () => { throw Object.assign(new Error("disk full"), { code: "DiskFull" }); },
        }))"""
    )
    assert refused["code"] == "DiskFull"
    assert game.url == here
    assert game.evaluate("game().resume()") == []
    assert player.items() == {}


def test_a_game_saves_before_it_is_left(game: Page, player: Player) -> None:
    game.evaluate(
        """() => game().buy("paw_stamp", 3, {
          beforeRedirect: async (order) => localStorage.setItem("saved", JSON.stringify(order)),
        })"""
    )
    game.wait_for_url("**/c/pay/**")
    [purchase] = player.get("/purchases").body["purchases"]
    assert (purchase["product_id"], purchase["quantity"], purchase["status"]) == ("paw_stamp", 3, "created")


def test_many_calls_ask_for_one_token(game: Page) -> None:
    game.evaluate("one = game(); Promise.all([one.me(), one.inventory(), one.notices()])")
    assert told(game)["asked"] == 1


def test_a_call_whose_answer_got_lost_is_sent_again_and_happens_once(
    shop: Shop, game: Page, player: Player, customer: Customer
) -> None:
    shop.pay(player.order("paw_stamp", 5)["url"])
    eventually(player.items, bool)
    attempts = []

    def lose_the_first_answer(route: Route) -> None:
        attempts.append(route.request.post_data)
        if len(attempts) > 1:
            route.continue_()
            return
        route.fetch()
        route.abort("connectionreset")

    game.route("**/spend", lose_the_first_answer)
    assert game.evaluate('game().spend("paw_stamp", 2)')["quantity"] == 3
    assert len(attempts) == 2
    assert attempts[0] == attempts[1]
    assert player.items() == {"paw_stamp": 3}
    customer.expect_errors("ERR_CONNECTION_RESET")


def test_errors_have_the_codes_of_the_server_and_of_the_client(game: Page, customer: Customer) -> None:
    assert game.evaluate('refusal(game().spend("paw_stamp"))') == {
        "code": "NotEnough",
        "status": 409,
        "figures": {"shortfall": 1, "quantity": 0, "owed": 0},
    }
    assert game.evaluate('refusal(game().buy("no_such_cat"))')["code"] == "NotFound"
    assert game.evaluate("refusal(game({ signIn: () => null }).me())")["code"] == "NotSignedIn"
    assert game.evaluate('refusal(game({ signIn: () => "a.b.c" }).me())')["code"] == "Unauthorized"
    customer.expect_errors("status of 409", "status of 404", "status of 401")


def test_a_player_who_is_not_signed_in_is_not_asked_again_and_again(game: Page) -> None:
    game.evaluate("() => { game({ signIn: () => { told.asked += 1; throw new Error('no'); } }).connect(); }")
    becomes_true(game, "told.states.at(-1) === 'closed'")
    assert told(game)["errors"] == ["NotSignedIn"]
    assert game.evaluate("new Promise((later) => setTimeout(() => later(told.asked), 2000))") == 1


def test_a_notice_that_the_game_failed_to_show_comes_again(shop: Shop, game: Page, player: Player) -> None:
    game.evaluate(
        """() => {
          const failing = (notice) => {
            if (told.failed) return told.notices.push(notice.notice_id);
            told.failed = true;
            throw new Error("not now");
          };
          (globalThis.client = game({ onNotice: failing })).connect();
        }"""
    )
    becomes_true(game, "told.states.at(-1) === 'open'")
    shop.pay(player.order("paw_stamp")["url"])
    becomes_true(game, "told.failed")
    [notice] = player.get("/notices").body["notices"]
    game.evaluate("() => { client.disconnect(); client.connect(); }")
    becomes_true(game, "told.notices.length === 1")
    assert told(game)["notices"] == [notice["notice_id"]]
    assert eventually(lambda: player.get("/notices").body["notices"], lambda left: left == []) == []


def test_a_tab_that_nobody_looks_at_keeps_its_notices_until_somebody_does(
    shop: Shop, game: Page, player: Player
) -> None:
    game.evaluate(
        """() => {
          const get = () => told.looked ? "visible" : "hidden";
          Object.defineProperty(document, "visibilityState", { get });
          game({ onInventory: () => { told.heard = true; } }).connect();
        }"""
    )
    becomes_true(game, "told.states.at(-1) === 'open'")
    shop.pay(player.order("paw_stamp")["url"])
    becomes_true(game, "told.heard")
    assert told(game)["notices"] == []
    game.evaluate("() => { told.looked = true; document.dispatchEvent(new Event('visibilitychange')); }")
    becomes_true(game, "told.notices.length === 1")


def test_an_older_notice_that_comes_late_shows_no_old_purchase(game: Page) -> None:
    def serve(socket: WebSocketRoute) -> None:
        def answer(said: str | bytes) -> None:
            if json.loads(said)["type"] == "hello":
                for notice_id, status in (("2", "refunded"), ("1", "granted")):
                    notice = {
                        "type": "purchase.updated",
                        "notice_id": notice_id,
                        "status": status,
                        "items": {},
                    }
                    state = {"purchase": {"status": status}, "inventory": {"items": []}}
                    socket.send(json.dumps({**notice, **state}))

        socket.on_message(answer)

    game.route_web_socket("**", serve)
    game.evaluate(
        """() => {
          told.purchases = [];
          game({ onPurchase: (purchase) => told.purchases.push(purchase.status) }).connect();
        }"""
    )
    becomes_true(game, "told.notices.length === 2")
    assert told(game)["purchases"] == ["refunded"]


def test_a_made_up_return_gives_nothing(shop: Shop, customer: Customer, player: Player) -> None:
    customer.open_shop()
    customer.sign_in()
    customer.page.goto(f"{shop.stack.web}?purchase_id=pur_{'0' * 32}&session_id=cs_test_1")
    customer.is_connected()
    assert customer.page.url == shop.stack.web
    customer.expect_errors("status of 404")
    assert player.items() == {}
