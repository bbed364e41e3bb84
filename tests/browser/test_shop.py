"""The whole way of a customer in a real browser: to Stripe's page and back, whatever comes between.

Each story ends with the right inventory, each of the player's notices shown once, and a silent console.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, WebSocketRoute, expect

from local.stack import Stack
from nyanko.adapters.dynamodb import from_item, to_item
from tests.browser.customer import Customer
from tests.e2e.shop import DECLINED_CARD, GOOD_CARD, Player, Shop, eventually

STARTER_PACK = "ねこのスターターパック"
STARTER_ITEMS = {"nyan_coin": 100, "catnip": 5, "red_ribbon": 1}
CONFIRMED = "お支払いを確認しました"
WAITING = "コンビニでのお支払いをお待ちしています"


@pytest.fixture
def player(shop: Shop, customer: Customer) -> Player:
    """The customer, as the server knows them."""
    return Player(shop, customer.name)


@pytest.fixture
def signed_in(customer: Customer) -> Customer:
    customer.open_shop()
    customer.sign_in()
    return customer


def buys_by_card(customer: Customer) -> None:
    """From the shop to Stripe's page, and back with the items."""
    customer.choose(STARTER_PACK)
    customer.confirm()
    customer.pay_by_card(GOOD_CARD)
    customer.is_told(CONFIRMED)
    customer.holds(**STARTER_ITEMS)


def goes_to_pay_in_a_new_tab(customer: Customer) -> Page:
    customer.choose(STARTER_PACK)
    customer.page.get_by_label("新しいタブで支払う").check()
    with customer.context.expect_page() as opened:
        customer.page.get_by_role("button", name="注文を確定して支払いへ").click()
    opened.value.wait_for_url("**/c/pay/**")
    return opened.value


def every_notice_was_shown_once(shop: Shop, player: Player, customer: Customer) -> None:
    """And all of them are acknowledged."""

    def written() -> list[dict[str, Any]]:
        found = shop.client("dynamodb").query(
            TableName="local_jm_nyanko_notices",
            KeyConditionExpression="player_id = :player_id",
            ExpressionAttributeValues=to_item({":player_id": player.player_id}),
            ConsistentRead=True,
        )
        return [from_item(item) for item in found["Items"]]

    def unseen() -> list[dict[str, Any]]:
        customer.page.wait_for_timeout(0)  # lets the browser's messages in
        notices: list[dict[str, Any]] = player.get("/notices").body["notices"]
        return notices

    # The notice is written a moment after the items; before that nothing is unseen either.
    if any(one["status"] != "created" for one in player.get("/purchases").body["purchases"]):
        assert eventually(written, bool)
    assert eventually(unseen, lambda notices: notices == []) == []
    assert sorted(customer.shown) == sorted(row["notice_id"] for row in written())


def test_a_purchase_by_card_arrives_in_the_game(shop: Shop, player: Player, signed_in: Customer) -> None:
    signed_in.choose(STARTER_PACK, quantity=2)
    dialog = signed_in.page.get_by_role("dialog", name="ご注文内容の確認")
    for told in (
        f"{STARTER_PACK} × 2",
        "￥1,000",
        "お支払い方法",
        "お支払いの時期",
        "お届けの時期",
        "キャンセル",
    ):
        expect(dialog).to_contain_text(told)
    signed_in.photograph("confirmation")
    signed_in.confirm()
    signed_in.photograph("stripe")
    signed_in.pay_by_card(GOOD_CARD)
    signed_in.is_told(CONFIRMED)
    signed_in.holds(nyan_coin=200, catnip=10, red_ribbon=2)
    signed_in.has_one_purchase_that_is("granted")
    assert signed_in.page.url == shop.stack.web
    assert len(signed_in.shown) == 1
    signed_in.photograph("granted")
    signed_in.page.reload()
    signed_in.is_connected()
    signed_in.holds(nyan_coin=200, catnip=10, red_ribbon=2)
    every_notice_was_shown_once(shop, player, signed_in)


def test_a_konbini_payment_waits_and_arrives_once_it_is_paid(
    shop: Shop, player: Player, signed_in: Customer
) -> None:
    signed_in.choose(STARTER_PACK)
    session_id = signed_in.confirm().rsplit("/", 1)[-1]
    signed_in.promise_to_pay_at_konbini()
    signed_in.is_told(WAITING)
    signed_in.has_one_purchase_that_is("pending")
    assert player.items() == {}
    signed_in.photograph("konbini")
    # The next day.
    signed_in.page.reload()
    signed_in.is_told(WAITING)
    signed_in.is_connected()
    shop.pay_voucher(session_id)
    signed_in.holds(**STARTER_ITEMS)
    signed_in.has_one_purchase_that_is("granted")
    every_notice_was_shown_once(shop, player, signed_in)


def test_a_declined_card_and_then_a_good_one(shop: Shop, player: Player, signed_in: Customer) -> None:
    signed_in.choose(STARTER_PACK)
    signed_in.confirm()
    signed_in.pay_by_card(DECLINED_CARD)
    expect(signed_in.page.get_by_role("alert")).to_contain_text("拒否")
    signed_in.expect_errors("status of 402")
    signed_in.pay_by_card(GOOD_CARD)
    signed_in.is_told(CONFIRMED)
    signed_in.holds(**STARTER_ITEMS)
    every_notice_was_shown_once(shop, player, signed_in)


def test_who_cancels_gets_back_to_the_shop_with_nothing(
    shop: Shop, player: Player, signed_in: Customer
) -> None:
    signed_in.choose(STARTER_PACK)
    signed_in.confirm()
    signed_in.page.get_by_role("button", name="キャンセルして戻る").click()
    signed_in.is_told("取りやめました")
    assert signed_in.page.url == shop.stack.web
    signed_in.holds()
    every_notice_was_shown_once(shop, player, signed_in)
    assert signed_in.shown == []


def test_the_back_button_of_stripes_page_leaves_a_shop_that_works(
    shop: Shop, player: Player, signed_in: Customer
) -> None:
    signed_in.choose(STARTER_PACK)
    signed_in.confirm()
    signed_in.page.go_back()
    signed_in.is_connected()
    buys_by_card(signed_in)
    every_notice_was_shown_once(shop, player, signed_in)


def test_a_tab_that_was_closed_while_paying_learns_of_it_when_it_is_opened_again(
    shop: Shop, player: Player, signed_in: Customer
) -> None:
    signed_in.choose(STARTER_PACK)
    url = signed_in.confirm()
    signed_in.page.close()
    shop.pay(url)
    assert eventually(player.items, lambda items: items == STARTER_ITEMS) == STARTER_ITEMS
    signed_in.open_shop()
    signed_in.is_told(CONFIRMED)
    signed_in.holds(**STARTER_ITEMS)
    every_notice_was_shown_once(shop, player, signed_in)
    assert len(signed_in.shown) == 1


def test_of_two_tabs_both_have_the_items_and_one_shows_the_notice(
    shop: Shop, player: Player, signed_in: Customer
) -> None:
    first = signed_in.page
    second = signed_in.open_shop()
    signed_in.is_connected()
    signed_in.page = first
    buys_by_card(signed_in)
    for tab in (first, second):
        signed_in.page = tab
        signed_in.is_connected()
        signed_in.holds(**STARTER_ITEMS)
    every_notice_was_shown_once(shop, player, signed_in)
    assert len(signed_in.shown) == 1


def test_the_payment_may_have_a_tab_of_its_own(shop: Shop, player: Player, signed_in: Customer) -> None:
    game = signed_in.page
    signed_in.page = goes_to_pay_in_a_new_tab(signed_in)
    assert game.url == shop.stack.web
    signed_in.pay_by_card(GOOD_CARD)
    signed_in.is_told("このタブは閉じてかまいません")
    signed_in.page = game
    signed_in.is_told(CONFIRMED)
    signed_in.holds(**STARTER_ITEMS)
    every_notice_was_shown_once(shop, player, signed_in)


def test_a_payment_tab_that_comes_back_after_the_outcome_may_be_closed(
    shop: Shop, player: Player, signed_in: Customer
) -> None:
    game, payment = signed_in.page, goes_to_pay_in_a_new_tab(signed_in)
    paid = shop.pay(payment.url)
    signed_in.is_told(CONFIRMED)
    payment.goto(paid.headers["Location"])
    signed_in.page = payment
    signed_in.is_told("このタブは閉じてかまいません")
    signed_in.page = game
    every_notice_was_shown_once(shop, player, signed_in)


def test_where_tabs_are_blocked_the_payment_takes_the_same_one(
    shop: Shop, player: Player, signed_in: Customer
) -> None:
    signed_in.page.evaluate("window.open = () => null")
    signed_in.choose(STARTER_PACK)
    signed_in.page.get_by_label("新しいタブで支払う").check()
    signed_in.confirm()
    signed_in.pay_by_card(GOOD_CARD)
    signed_in.is_told(CONFIRMED)
    signed_in.holds(**STARTER_ITEMS)
    every_notice_was_shown_once(shop, player, signed_in)


class Network:
    """What lies between the browser and the WebSocket API."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.up = True
        self.refused = 0
        self._open: list[WebSocketRoute] = []
        context.route_web_socket(lambda asked: asked.startswith(url), self._connect)

    def _connect(self, socket: WebSocketRoute) -> None:
        if self.up:
            socket.connect_to_server()
            self._open.append(socket)
        else:
            self.refused += 1
            socket.close(code=1013)

    def cut(self) -> None:
        self.up = False
        for socket in self._open:
            socket.close(code=1012)
        self._open.clear()


def test_a_socket_that_is_cut_during_the_purchase_costs_nothing(
    shop: Shop, player: Player, customer: Customer
) -> None:
    network = Network(customer.context, shop.stack.ws)
    customer.open_shop()
    customer.sign_in()
    customer.choose(STARTER_PACK)
    session_id = customer.confirm().rsplit("/", 1)[-1]
    customer.promise_to_pay_at_konbini()
    customer.is_told(WAITING)
    customer.is_connected()
    network.cut()
    expect(customer.page.locator("#connection")).not_to_have_text("自動で更新中")
    shop.pay_voucher(session_id)
    customer.holds(**STARTER_ITEMS)
    assert network.refused
    network.up = True
    customer.is_connected()
    every_notice_was_shown_once(shop, player, customer)


def test_a_purchase_that_returns_without_any_socket_is_found_by_asking(
    shop: Shop, player: Player, customer: Customer
) -> None:
    network = Network(customer.context, shop.stack.ws)
    customer.open_shop()
    customer.sign_in()
    network.cut()
    buys_by_card(customer)
    every_notice_was_shown_once(shop, player, customer)


def test_a_token_that_expires_while_paying_asks_to_sign_in_again(
    shop: Shop, player: Player, signed_in: Customer
) -> None:
    signed_in.choose(STARTER_PACK)
    signed_in.confirm()
    other = signed_in.context.new_page()
    other.goto(f"{shop.stack.frontend_origin}/legal/tokushoho.html")
    expired = shop.request(
        "POST",
        f"{shop.stack.web3auth}/token",
        json.dumps({"name": signed_in.name, "expires_in": -60}).encode(),
        {"Content-Type": "application/json"},
    ).body["token"]
    other.evaluate("(token) => localStorage.setItem('nyanko_shop.token', token)", expired)
    other.close()
    signed_in.pay_by_card(GOOD_CARD)
    asked = signed_in.page.get_by_role("dialog", name="サインインし直してください")
    expect(asked).to_be_visible()
    signed_in.photograph("signed_out")
    signed_in.expect_errors("status of 401")
    asked.get_by_role("button", name="サインイン").click()
    signed_in.give_name()
    signed_in.is_told(CONFIRMED)
    signed_in.holds(**STARTER_ITEMS)
    every_notice_was_shown_once(shop, player, signed_in)


def test_items_are_spent_one_by_one(shop: Shop, player: Player, signed_in: Customer) -> None:
    shop.pay(player.order("paw_stamp", 2)["url"])
    signed_in.holds(paw_stamp=2)
    use = signed_in.page.get_by_role("button", name="肉球スタンプを1つ使う")
    for left in (1, 0):
        use.click()
        signed_in.holds(paw_stamp=left)
    expect(use).to_be_enabled()
    use.click()
    signed_in.is_told("数が足りません")
    signed_in.expect_errors("status of 409")
    assert player.items() == {"paw_stamp": 0}


def test_a_purchase_needs_no_mouse(shop: Shop, player: Player, signed_in: Customer) -> None:
    page = signed_in.page

    def tab_to(name: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            focused = page.evaluate(
                "document.activeElement.ariaLabel ?? document.activeElement.textContent.trim()"
            )
            if focused == name:
                return
        raise AssertionError(f"the Tab key does not lead to {name}")

    tab_to(f"{STARTER_PACK}を購入する")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="ご注文内容の確認")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("Enter")
    tab_to("注文を確定して支払いへ")
    page.keyboard.press("Enter")
    page.wait_for_url("**/c/pay/**")
    signed_in.pay_by_card(GOOD_CARD)
    signed_in.is_told(CONFIRMED)
    every_notice_was_shown_once(shop, player, signed_in)


@pytest.fixture
def phone(browser: Browser, stack: Stack) -> Iterator[Customer]:
    context = browser.new_context(viewport={"width": 360, "height": 740}, has_touch=True, locale="ja-JP")
    customer = Customer(context, stack, "tama")
    yield customer
    context.close()
    assert customer.errors == []


def test_a_phone_shows_everything_without_scrolling_sideways(phone: Customer) -> None:
    phone.open_shop()
    phone.sign_in()
    phone.photograph("phone")
    phone.choose(STARTER_PACK)
    phone.photograph("phone_confirmation")
    assert phone.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(phone.page.get_by_role("button", name="注文を確定して支払いへ")).to_be_visible()
