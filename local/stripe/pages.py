"""The hosted pages: what the buyer sees. Plain forms without script, so that any HTTP client can pay.

GET  /c/pay/{session_id}          the page that the session's `url` names
POST /c/pay/{session_id}          pays: form fields `card_number`, `expiry` (MM/YY), `cvc`, and optionally
                                  `email` and `name`
GET  /c/pay/{session_id}/3ds      3-D Secure, where the card wants it
POST /c/pay/{session_id}/3ds      form field `result`: `complete` or `fail`
POST /c/pay/{session_id}/cancel   303 to cancel_url; the session stays open, as with Stripe

Paying answers 303: to success_url when the session is paid, also when it was paid before, and to .../3ds when
the card wants that first. It answers with the page again, 402 when the card was declined and 422 when a
field is wrong. A session that is no longer open shows so, 410 if it has expired.
"""

import datetime as dt
import re

from flask import Response, make_response, redirect, render_template, request

from local.stripe import payments
from local.stripe.cards import CardEntry, card_of, plausible
from local.stripe.errors import missing
from local.stripe.store import Account, StripeObject
from local.stripe.views import Route


class _BadForm(Exception):
    """Its text tells the buyer what to correct."""


def _show(account: Account, session_id: str) -> Response:
    return _page(account, account.get("checkout.session", session_id))


def _pay(account: Account, session_id: str) -> Response:
    session = account.get("checkout.session", session_id)
    if session["status"] == "complete":
        return _success(session)
    if session["status"] == "expired":
        return _page(account, session)
    three_d_secure = f"{request.base_url}/3ds"
    try:
        paid = payments.pay_by_card(account, session, _card_entry(account), three_d_secure)
    except _BadForm as error:
        return _page(account, session, str(error), status=422)
    except payments.Declined as declined:
        return _page(account, session, declined.text, status=402)
    return _success(session) if paid else _see_other(three_d_secure)


def _show_three_d_secure(account: Account, session_id: str) -> Response:
    session = account.get("checkout.session", session_id)
    if not payments.awaits_authentication(account, session):
        return _page(account, session)
    return make_response(render_template("three_d_secure.html", session=session))


def _answer_three_d_secure(account: Account, session_id: str) -> Response:
    session = account.get("checkout.session", session_id)
    if session["status"] == "complete":
        return _success(session)
    if not payments.awaits_authentication(account, session):
        return _page(account, session)
    try:
        payments.authenticate(account, session, passed=request.form.get("result") == "complete")
    except payments.Declined as declined:
        return _page(account, session, declined.text, status=402)
    return _success(session)


def _cancel(account: Account, session_id: str) -> Response:
    session = account.get("checkout.session", session_id)
    if session["cancel_url"] is None:
        raise missing("cancel_url", session_id, "cancel_url")
    return _see_other(session["cancel_url"])


ROUTES: list[Route] = [
    ("GET", "", _show),
    ("POST", "", _pay),
    ("GET", "/3ds", _show_three_d_secure),
    ("POST", "/3ds", _answer_three_d_secure),
    ("POST", "/cancel", _cancel),
]


def _card_entry(account: Account) -> CardEntry:
    form = request.form
    number = re.sub(r"[\s-]", "", form.get("card_number", ""))
    if not plausible(number):
        raise _BadForm("カード番号が正しくありません。")
    expiry = re.fullmatch(r"\s*(0?[1-9]|1[0-2])\s*/\s*(?:20)?([0-9]{2})\s*", form.get("expiry", ""), re.ASCII)
    if expiry is None:
        raise _BadForm("有効期限は「月/年」(例: 12/34)で入力してください。")
    month, year = int(expiry[1]), 2000 + int(expiry[2])
    today = dt.datetime.fromtimestamp(account.now(), dt.UTC)
    if (year, month) < (today.year, today.month):
        raise _BadForm("カードの有効期限が切れています。")
    if not re.fullmatch(r"[0-9]{3,4}", form.get("cvc", ""), re.ASCII):
        raise _BadForm("セキュリティコードは3桁または4桁の数字です。")
    return CardEntry(card_of(number), month, year, form.get("email") or None, form.get("name") or None)


def _page(account: Account, session: StripeObject, error: str | None = None, status: int = 200) -> Response:
    if session["status"] != "open":
        expired = session["status"] == "expired"
        return make_response(render_template("closed.html", expired=expired), 410 if expired else 200)
    lines = account.line_items[session["id"]]
    page = render_template("checkout.html", session=session, lines=lines, error=error, form=request.form)
    return make_response(page, status)


def _success(session: StripeObject) -> Response:
    return _see_other(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"]))


def _see_other(url: str) -> Response:
    return make_response(redirect(url, code=303))
