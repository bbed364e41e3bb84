"""The dashboard: what happened, and what to make happen next.

GET    /dashboard                                   everything, with a button for every action
POST   /dashboard/events/{id}/resend                deliver once more to every endpoint that wants the event
POST   /dashboard/charges/{id}/refunds              `amount` (yen, default all that is left), `reason`,
                                                    `instructions_email` (konbini)
POST   /dashboard/refunds/{id}/succeed              a pending one, or a konbini one whose buyer has answered
POST   /dashboard/refunds/{id}/fail                 also after success; `failure_reason`
POST   /dashboard/refunds/{id}/cancel               while the buyer has not answered (konbini)
POST   /dashboard/charges/{id}/disputes             `amount` (yen, default all that is left), `reason`
                                                    (default fraudulent), `inquiry` (true or false),
                                                    `prevention` (resolution or block: it is prevented
                                                    from the start)
POST   /dashboard/disputes/{id}/{action}            submit, win, lose, close (an inquiry), escalate (an
                                                    inquiry), appeal (won or lost), prevent; see `disputes`
                                                    for what each does
POST   /dashboard/webhook_endpoints/{id}/roll       a new signing secret, answered as JSON; the old one signs
                                                    too for `expires_in` seconds (0 to 86400, the default)
POST   /dashboard/api_keys                          a new secret key, answered as JSON; with `rights` (such as
                                                    charge:read,checkout_session:write) a restricted one
POST   /dashboard/api_keys/{id}/roll                a new key with the same rights, answered as JSON; the old
                                                    one works for `expires_in` seconds more (0, the default,
                                                    to 604800)
POST   /dashboard/api_version                       `api_version`: the account's default from now on; events
                                                    that are there keep theirs
GET, PUT, DELETE /dashboard/chaos                   see `chaos`

Parameters come as a form or as a JSON object. An action answers 303 back to the page, or what came of it as
JSON to `Accept: application/json`; a refused one answers Stripe's error object. A konbini voucher is paid or
expired on its own page: see `pages`. Nobody logs in: the stand-in listens on 127.0.0.1 only.
"""

import dataclasses
import json
from collections.abc import Callable, Mapping
from functools import partial

from flask import Response, jsonify, make_response, redirect, render_template, request

from local.stripe import disputes, keys, refunds, versions
from local.stripe.chaos import Chaos
from local.stripe.checkout import MAX_AMOUNT
from local.stripe.deliveries import rendered, resend
from local.stripe.errors import ApiError
from local.stripe.params import Params, Parser, Raw, between, boolean, choice, fields, text
from local.stripe.store import Account, ApiKey, SigningSecret, StripeObject, random_text
from local.stripe.views import Route

SHOWN = 100
"""The newest of each kind that the page lists."""

MAX_OVERLAP_SECONDS = 24 * 3600

DISPUTE_ACTIONS: Mapping[str, Callable[[Account, StripeObject], None]] = {
    "submit": disputes.submit,
    "win": disputes.win,
    "lose": disputes.lose,
    "close": disputes.close_inquiry,
    "escalate": disputes.escalate,
    "appeal": disputes.appeal,
    "prevent": disputes.prevent,
}


def _show(account: Account) -> Response:
    page = render_template(
        "dashboard.html",
        sessions=account.every("checkout.session")[:SHOWN],
        charges=account.every("charge")[:SHOWN],
        refunds=account.every("refund")[:SHOWN],
        disputes=account.every("dispute")[:SHOWN],
        disputable=partial(disputes.left, account),
        events=[rendered(account, event) for event in account.every("event")[:SHOWN]],
        deliveries=account.deliveries,
        endpoints=account.objects["webhook_endpoint"],
        chaos=account.chaos.shown(),
        api_version=account.api_version,
        api_keys=account.keys.values(),
        masked=keys.masked,
        now=account.now(),
    )
    return make_response(page)


def _resend(account: Account, event_id: str) -> Response:
    deliveries = resend(account, account.get("event", event_id))
    return _done({"event": event_id, "deliveries": [dataclasses.asdict(one) for one in deliveries]})


def _create_refund(account: Account, charge_id: str) -> Response:
    params = _params(
        {
            "amount": between(1, MAX_AMOUNT),
            "instructions_email": text,
            "reason": choice("duplicate", "fraudulent", "requested_by_customer"),
        }
    )
    account.get("charge", charge_id)
    return _done(refunds.create(account, {**params, "charge": charge_id}))


def _succeed_refund(account: Account, refund_id: str) -> Response:
    refund = account.get("refund", refund_id)
    refunds.succeed(account, refund)
    return _done(refund)


def _fail_refund(account: Account, refund_id: str) -> Response:
    params = _params({"failure_reason": choice(*refunds.FAILURE_REASONS)})
    refund = account.get("refund", refund_id)
    refunds.fail(account, refund, params.get("failure_reason", "unknown"))
    return _done(refund)


def _cancel_refund(account: Account, refund_id: str) -> Response:
    refund = account.get("refund", refund_id)
    refunds.cancel(account, refund)
    return _done(refund)


def _open_dispute(account: Account, charge_id: str) -> Response:
    params = _params(
        {
            "amount": between(1, MAX_AMOUNT),
            "inquiry": boolean,
            "prevention": choice(*disputes.PREVENTIONS),
            "reason": choice(*disputes.REASONS),
        }
    )
    return _done(disputes.open_(account, account.get("charge", charge_id), **params))


def _act_on_dispute(account: Account, dispute_id: str, action: str) -> Response:
    if action not in DISPUTE_ACTIONS:
        raise ApiError(f"A dispute's actions are {', '.join(DISPUTE_ACTIONS)}.", status=404)
    dispute = account.get("dispute", dispute_id)
    DISPUTE_ACTIONS[action](account, dispute)
    return _done(dispute)


def _roll_secret(account: Account, endpoint_id: str) -> Response:
    """https://docs.stripe.com/webhooks#roll-endpoint-secrets"""
    expires_in = _params({"expires_in": between(0, MAX_OVERLAP_SECONDS)}).get(
        "expires_in", MAX_OVERLAP_SECONDS
    )
    account.get("webhook_endpoint", endpoint_id)
    new = SigningSecret(f"whsec_{random_text(32)}")
    expires_at = account.now() + expires_in
    *older, old = account.signing_secrets[endpoint_id]
    account.signing_secrets[endpoint_id] = [*older, dataclasses.replace(old, expires_at=expires_at), new]
    return jsonify({"id": endpoint_id, "secret": new.value, "previous_secret_expires_at": expires_at})


def _create_key(account: Account) -> Response:
    """https://docs.stripe.com/keys#create-api-secret-key, and #create-restricted-api-secret-key"""
    params = _params({"rights": keys.parse_rights})
    return _new_key(keys.create(account, params.get("rights")))


def _roll_key(account: Account, key_id: str) -> Response:
    """https://docs.stripe.com/keys#rolling-keys"""
    expires_in = _params({"expires_in": between(0, keys.MAX_OVERLAP_SECONDS)}).get("expires_in", 0)
    return _new_key(keys.roll(account, keys.get(account, key_id), expires_in))


def _new_key(key: ApiKey) -> Response:
    return jsonify({"id": key.id, "key": key.value, "rights": key.rights})


def _upgrade(account: Account) -> Response:
    """https://docs.stripe.com/upgrades#perform-the-upgrade"""
    params = fields({"api_version": text}, required=("api_version",))(_input(), "")
    account.api_version = versions.check(params["api_version"], "api_version")
    return _done({"api_version": account.api_version})


def _show_chaos(account: Account) -> Response:
    return jsonify(account.chaos.shown())


def _set_chaos(account: Account) -> Response:
    account.chaos = Chaos.parse(_input())
    return jsonify(account.chaos.shown())


def _end_chaos(account: Account) -> Response:
    account.chaos = Chaos()
    return jsonify(account.chaos.shown())


ROUTES: list[Route] = [
    ("GET", "", _show),
    ("POST", "/events/<event_id>/resend", _resend),
    ("POST", "/charges/<charge_id>/refunds", _create_refund),
    ("POST", "/refunds/<refund_id>/succeed", _succeed_refund),
    ("POST", "/refunds/<refund_id>/fail", _fail_refund),
    ("POST", "/refunds/<refund_id>/cancel", _cancel_refund),
    ("POST", "/charges/<charge_id>/disputes", _open_dispute),
    ("POST", "/disputes/<dispute_id>/<action>", _act_on_dispute),
    ("POST", "/webhook_endpoints/<endpoint_id>/roll", _roll_secret),
    ("POST", "/api_keys", _create_key),
    ("POST", "/api_keys/<key_id>/roll", _roll_key),
    ("POST", "/api_version", _upgrade),
    ("GET", "/chaos", _show_chaos),
    ("PUT", "/chaos", _set_chaos),
    ("DELETE", "/chaos", _end_chaos),
]


def _params(parsers: Mapping[str, Parser]) -> Params:
    params: Params = fields(parsers)(_input(), "")
    return params


def _input() -> dict[str, Raw]:
    """The form, without what was left empty, or the members of the JSON object, as texts."""
    if not request.is_json:
        return {name: value for name, value in request.form.items() if value}
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise ApiError("The body is not a JSON object.")
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in body.items()
        if value is not None
    }


def _done(outcome: StripeObject) -> Response:
    if request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json":
        return jsonify(outcome)
    return make_response(redirect("/dashboard", code=303))
