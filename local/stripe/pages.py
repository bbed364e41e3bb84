"""The hosted pages: what the buyer sees. Plain forms without script, so that any HTTP client can pay.

GET  /c/pay/{session_id}          the page that the session's `url` names
POST /c/pay/{session_id}          pays by card: form fields `card_number`, `expiry` (MM/YY), `cvc`, and
                                  optionally `email` and `name`; or later at a convenience store: form
                                  fields `payment_method=konbini`, `email` and `name`
GET  /c/pay/{session_id}/3ds      3-D Secure, where the card wants it
POST /c/pay/{session_id}/3ds      form field `result`: `complete` or `fail`
POST /c/pay/{session_id}/cancel   303 to cancel_url; the session stays open, as with Stripe
GET  /c/voucher/{payment_intent}          the konbini voucher: the PaymentIntent's `hosted_voucher_url`
POST /c/voucher/{payment_intent}/pay      the buyer pays at the store
POST /c/voucher/{payment_intent}/expire   the buyer never does; both answer 303 to the voucher

Paying answers 303: to success_url when the session is complete, also when it was so before, and to .../3ds
when the card wants that first. It answers with the page again, 402 when the card was declined and 422 when a
field is wrong. A session that is no longer open shows so, 410 if it has expired.
"""

import datetime as dt
import re

from flask import Response, make_response, redirect, render_template, request

from local.stripe import konbini, payments
from local.stripe.cards import CardEntry, card_of, plausible
from local.stripe.errors import missing
from local.stripe.store import Account, Payer, StripeObject
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
    try:
        return _pay_by(request.form.get("payment_method", "card"), account, session)
    except _BadForm as error:
        return _page(account, session, str(error), status=422)
    except payments.Declined as declined:
        return _page(account, session, declined.text, status=402)


def _pay_by(method: str, account: Account, session: StripeObject) -> Response:
    if method not in session["payment_method_types"]:
        raise _BadForm("このお支払い方法はご利用いただけません。")
    email = request.form.get("email") or session["customer_email"]
    name = request.form.get("name") or None
    if method == "konbini":
        if not (email and name):
            raise _BadForm("コンビニ払いにはメールアドレスとお名前が必要です。")
        konbini.promise(account, session, Payer(email, name), f"{request.host_url}c/voucher/")
        return _success(session)
    entry = _card_entry(account)
    three_d_secure = f"{request.base_url}/3ds"
    paid = payments.pay_by_card(account, session, Payer(email, name), entry, three_d_secure)
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


def _show_voucher(account: Account, intent_id: str) -> Response:
    intent = account.get("payment_intent", intent_id)
    return make_response(render_template("voucher.html", intent=intent, is_open=konbini.is_voucher(intent)))


def _pay_voucher(account: Account, intent_id: str) -> Response:
    konbini.pay(account, account.get("payment_intent", intent_id))
    return _see_other(f"/c/voucher/{intent_id}")


def _expire_voucher(account: Account, intent_id: str) -> Response:
    konbini.expire(account, account.get("payment_intent", intent_id))
    return _see_other(f"/c/voucher/{intent_id}")


ROUTES: list[Route] = [
    ("GET", "/pay/<session_id>", _show),
    ("POST", "/pay/<session_id>", _pay),
    ("GET", "/pay/<session_id>/3ds", _show_three_d_secure),
    ("POST", "/pay/<session_id>/3ds", _answer_three_d_secure),
    ("POST", "/pay/<session_id>/cancel", _cancel),
    ("GET", "/voucher/<intent_id>", _show_voucher),
    ("POST", "/voucher/<intent_id>/pay", _pay_voucher),
    ("POST", "/voucher/<intent_id>/expire", _expire_voucher),
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
    return CardEntry(card_of(number), month, year)


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
