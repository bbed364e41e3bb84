"""A customer in front of a browser, and all that the browser noticed meanwhile."""

import re
from pathlib import Path

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, WebError, expect

from local.stack import Stack
from tests.template import ROOT

SCREENSHOTS = ROOT / ".local" / "screenshots"

_WATCH_NOTICES = """
new MutationObserver((changes) => {
  for (const { addedNodes } of changes)
    for (const node of addedNodes)
      if (node.dataset?.notice) noticeWasShown(node.dataset.notice);
}).observe(document, { childList: true, subtree: true });
"""


class Customer:
    """`shown` are the notices that any tab showed, in that order; `errors` is what any tab wrote to its
    console or threw. `page` is the tab that the customer looks at.
    """

    def __init__(self, context: BrowserContext, stack: Stack, name: str) -> None:
        self.name = name
        self.shown: list[str] = []
        self.errors: list[str] = []
        self.context = context
        self._stack = stack
        context.expose_function("noticeWasShown", self._note_notice)
        context.add_init_script(_WATCH_NOTICES)
        context.on("console", self._note_console)
        context.on("weberror", self._note_error)
        self.page: Page

    def _note_notice(self, notice_id: str) -> None:
        self.shown.append(notice_id)

    def _note_console(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.errors.append(said.text)

    def _note_error(self, thrown: WebError) -> None:
        self.errors.append(str(thrown.error))

    def open_shop(self) -> Page:
        """In a new tab, which is looked at from then on."""
        self.page = self.context.new_page()
        self.page.goto(self._stack.web)
        expect(self.page.locator("#products h3").first).to_be_visible()
        return self.page

    def sign_in(self) -> None:
        self.page.get_by_role("button", name="サインイン", exact=True).click()
        self.give_name()

    def give_name(self) -> None:
        self.page.get_by_label("プレイヤーの名前").fill(self.name)
        self.page.get_by_role("button", name="サインイン").click()
        self.is_connected()

    def is_connected(self) -> None:
        expect(self.page.locator("#connection")).to_have_text("自動で更新中")

    def choose(self, product: str, quantity: int = 1) -> None:
        card = self.page.get_by_role("listitem").filter(has=self.page.get_by_role("heading", name=product))
        card.get_by_label("個数").fill(str(quantity))
        card.get_by_role("button", name=f"{product}を購入する").click()

    def confirm(self) -> str:
        """Confirm the order and return the URL of Stripe's page, on which the customer is then."""
        self.page.get_by_role("button", name="注文を確定して支払いへ").click()
        self.page.wait_for_url("**/c/pay/**")
        return self.page.url

    def pay_by_card(self, number: str) -> None:
        self.page.get_by_label("カード番号").fill(number)
        self.page.get_by_label("有効期限").fill("12/34")
        self.page.get_by_label("セキュリティコード").fill("123")
        self.page.get_by_role("button", name="支払う", exact=True).click()

    def promise_to_pay_at_konbini(self) -> None:
        self.page.locator("#konbini_email").fill("mike@nyanko.example")
        self.page.locator("#konbini_name").fill("三毛 猫子")
        self.page.get_by_role("button", name="コンビニで支払う").click()

    def is_told(self, text: str) -> None:
        expect(self.page.locator("#message")).to_contain_text(text)

    def holds(self, **items: int) -> None:
        """The inventory on the page becomes these quantities."""
        for item_id, quantity in items.items():
            shown = self.page.locator(f"[data-quantity-of={item_id}]")
            expect(shown).to_have_text(f"{quantity:,}")
        expect(self.page.locator("[data-quantity-of]")).to_have_count(len(items))

    def has_one_purchase_that_is(self, status: str) -> None:
        expect(self.page.locator("[data-purchase]")).to_have_count(1)
        expect(self.page.locator(f"[data-status={status}]")).to_have_count(1)

    def expect_errors(self, *patterns: str) -> None:
        """Forget those errors that belong to the story; each pattern must have matched one."""
        for pattern in patterns:
            matching = [error for error in self.errors if re.search(pattern, error)]
            assert matching, (pattern, self.errors)
            self.errors = [error for error in self.errors if error not in matching]

    def photograph(self, name: str) -> Path:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        self.page.screenshot(path=path, full_page=True)
        return path
