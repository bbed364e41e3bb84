"""Stripe for the walk: the account of the local stack's stand-in, without its server, its threads or a clock.

Buyers, banks and the Dashboard act on the account at once; what we ask of its API is a call that takes its
turn. Whatever happens there becomes events, and somebody has to deliver them.
"""

import json
import re
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

import stripe
from flask.testing import FlaskClient

from local.stripe import checkout, disputes, keys, konbini, objects, payments, refunds
from local.stripe.app import create_app
from local.stripe.cards import CARDS, CardEntry
from local.stripe.deliveries import _body
from local.stripe.errors import ApiError
from local.stripe.signatures import signature
from local.stripe.store import Account, Payer, SigningSecret, StripeObject
from tests.walk.tasks import Fault, Tasks

API_KEY = "sk_test_nyanko"
SECRET = "whsec_nyanko"
WANTED = ["checkout.session.*", "refund.*", "charge.refund.updated", "charge.refunded", "charge.dispute.*"]
CARD_NUMBERS = ("4242424242424242", "4000000000007726", "4000000000005126", "4000000000000002")
"""One that works, one whose refunds take time, one whose refunds fail, and one that is declined."""

ID = re.compile(r"[a-z]+_[A-Za-z0-9_]{9,}")
"""Ids of Stripe's, which are others in each process."""

PAYER = Payer("mike@nyanko.example", "三毛 猫子")
PAGE = "https://checkout.stripe.com/c/pay/"


class Stripe:
    """`account` is what is so."""

    def __init__(self, tasks: Tasks, now: Callable[[], float], endpoint_version: str | None) -> None:
        self.account, client = _stand_in()
        Account.__init__(self.account, clock=now)
        self.transport = Transport(tasks, client)
        keys.add(self.account, API_KEY)
        params = {"api_version": endpoint_version, "enabled_events": WANTED, "url": "https://nyanko.test"}
        self._endpoint = objects.webhook_endpoint(self.account, params)
        self.account.signing_secrets[self._endpoint["id"]] = [SigningSecret(SECRET)]
        self._told = 0

    def pass_time(self) -> None:
        with self.account.at_work():
            pass

    # ─── What is so ─────────────────────────────────────────────────────────────────────────────────────────

    def all(self, noun: str) -> list[StripeObject]:
        return list(self.account.objects[noun].values())

    def naming(self, purchase_id: str) -> list[StripeObject]:
        """The sessions that name a purchase: the one that the shop opened, and others."""
        sessions = self.all("checkout.session")
        return [one for one in sessions if one["metadata"].get("purchase_id") == purchase_id]

    def new_events(self) -> list[str]:
        """The ids of the events since the last time, whether or not the endpoint wants them."""
        known = self.account.objects["event"]
        if len(known) == self._told:
            return []
        fresh = list(known)[self._told :]
        self._told = len(known)
        return fresh

    def is_wanted(self, event_id: str) -> bool:
        return bool(self.account.deliveries[event_id])

    def delivery(self, event_id: str, at: int) -> tuple[str, str]:
        """Body and signature as the endpoint gets them."""
        [delivery, *_] = self.account.deliveries[event_id]
        body = _body(self.account, self._endpoint, delivery)
        return body.decode(), signature(body, [SECRET], at)

    # ─── What people do ─────────────────────────────────────────────────────────────────────────────────────

    def open_another(self, purchase_id: str | None, amount: int) -> None:
        """Open a session beside the shop's: of the same purchase, or of another business."""
        data = {"currency": "jpy", "unit_amount": amount, "product_data": {"name": "other"}}
        params = {
            "mode": "payment",
            "success_url": "https://nyanko.test",
            "line_items": [{"quantity": 1, "price_data": data}],
            "metadata": {"purchase_id": purchase_id} if purchase_id else {},
        }
        with self.account.at_work():
            checkout.create(self.account, params, PAGE, with_intent=False)

    def pay(self, session: StripeObject, card: str) -> None:
        with self.account.at_work(), suppress(payments.Declined):
            payments.pay_by_card(self.account, session, PAYER, CardEntry(CARDS[card], 12, 2099), PAGE)

    def promise(self, session: StripeObject) -> None:
        with self.account.at_work():
            konbini.promise(self.account, session, PAYER, PAGE)

    def pay_voucher(self, intent: StripeObject) -> None:
        with self.account.at_work(), suppress(ApiError):
            konbini.pay(self.account, intent)

    def let_voucher_expire(self, intent: StripeObject) -> None:
        with self.account.at_work(), suppress(ApiError):
            konbini.expire(self.account, intent)

    def expire(self, session: StripeObject) -> None:
        with self.account.at_work():
            checkout.expire(self.account, session)

    def refund(self, charge: StripeObject, amount: int) -> None:
        with self.account.at_work(), suppress(ApiError):
            refunds.create(self.account, {"charge": charge["id"], "amount": amount})

    def end_refund(self, refund: StripeObject, how: str) -> None:
        with self.account.at_work(), suppress(ApiError):
            getattr(refunds, how)(self.account, refund)

    def dispute(self, charge: StripeObject, amount: int, **how: Any) -> None:
        with self.account.at_work(), suppress(ApiError):
            disputes.open_(self.account, charge, amount=amount, **how)

    def answer_dispute(self, dispute: StripeObject, how: str) -> None:
        with self.account.at_work(), suppress(ApiError):
            getattr(disputes, how)(self.account, dispute)


@cache
def _stand_in() -> tuple[Account, FlaskClient]:
    """One for all walks of a process: its routes take longer to set up than many a walk."""
    account = Account()
    return account, create_app(account).test_client(use_cookies=False)


class Refused(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Transport(stripe.HTTPClient):
    """The SDK's way to the account."""

    name = "walk"

    def __init__(self, tasks: Tasks, client: FlaskClient) -> None:
        super().__init__()
        self._tasks = tasks
        self._client = client

    def request(
        self,
        method: str,
        url: str,
        headers: Any,
        post_data: Any = None,
        **_options: Any,
    ) -> tuple[str, int, dict[str, str]]:
        path = url.partition("//")[2].partition("/")[2]

        def ask() -> tuple[str, int, dict[str, str]]:
            answer = self._client.open(f"/{path}", method=method.upper(), data=post_data, headers=headers)
            return answer.get_data(as_text=True), answer.status_code, dict(answer.headers)

        try:
            asked = ID.sub("…", path.partition("?")[0])
            return self._tasks.call(f"stripe {method.upper()} /{asked}", ask, _refuse)
        except Refused as refused:
            error = {"error": {"type": "api_error", "message": "refused"}}
            return json.dumps(error), refused.status, {}

    def close(self) -> None:
        """There is no connection."""

    def _sleep_time_seconds(self, *_args: Any, **_kwargs: Any) -> float:
        """The SDK's own retries, without the wait between them."""
        return 0


def _refuse(fault: Fault) -> Exception:
    match fault:
        case "refused":
            return Refused(503)
        case "throttled":
            return Refused(429)
        case "conflict":
            return Refused(409)
    return stripe.APIConnectionError("no answer", should_retry=True)  # type: ignore[no-untyped-call] # the SDK's own
