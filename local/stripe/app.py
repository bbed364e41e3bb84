"""The web application: the API's plumbing, and the pages beside it."""

import json
from functools import partial
from typing import NoReturn

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from local.stripe import dashboard, keys, listeners, pages, versions, views
from local.stripe.api import Call
from local.stripe.errors import ApiError, rate_limited
from local.stripe.idempotency import Answer
from local.stripe.listing import check_depth, expand, with_lists
from local.stripe.params import nest
from local.stripe.routes import CALLS
from local.stripe.store import Account, ApiKey, ApiRequest, random_text


def create_app(account: Account) -> Flask:
    app = Flask(__name__)
    for call in CALLS:
        app.add_url_rule(
            call.path,
            endpoint=f"{call.method} {call.path}".replace(".", "_"),
            view_func=partial(_serve, account, call),
            methods=[call.method],
        )
    app.register_blueprint(views.blueprint("pages", "/c", account, pages.ROUTES))
    app.register_blueprint(views.blueprint("dashboard", "/dashboard", account, dashboard.ROUTES))
    app.add_url_rule("/subscribe/<listener_id>", "subscribe", partial(_listen, account), websocket=True)
    app.add_url_rule("/_health", view_func=lambda: {"status": "ok"})
    app.before_request(_name_request)
    app.after_request(_add_headers)
    app.register_error_handler(ApiError, _error)
    app.register_error_handler(HTTPException, _unknown_url)
    return app


def _serve(account: Account, call: Call, **ids: str) -> Response:
    api_key = _admit(account, call)
    key = request.headers.get("Idempotency-Key") if call.method == "POST" else None
    pairs = [*request.args.items(multi=True), *request.form.items(multi=True)]

    def run() -> Answer:
        params = call.parse(nest(pairs), "")
        check_depth(params.get("expand", []))
        with account.at_work(ApiRequest(g.request_id, key, api_key)):
            try:
                answer = expand(account, call.handler(account, params, **ids), params.get("expand", []))
            except ApiError as error:
                if not error.executed:
                    raise
                return Answer(_json(error.body()), g.request_id, error.status)
            if versions.older(g.version, versions.NO_LISTS):
                answer = with_lists(account, answer)
            shown = versions.render(answer, g.version)
            return Answer(_json(shown), g.request_id)

    if key is None:
        return _response(run())
    answer, replayed = account.answers.once(key, json.dumps([request.path, sorted(pairs)]), run)
    response = _response(answer)
    response.headers["Idempotency-Key"] = key
    if replayed:
        response.headers["Idempotent-Replayed"] = "true"
        response.headers["Original-Request"] = answer.request_id
    return response


def _admit(account: Account, call: Call) -> ApiKey:
    """The key of a caller who may call, now, in a version that exists; raises `ApiError` otherwise."""
    api_key = keys.authenticate(account, request.headers.get("Authorization", ""))
    if account.chaos.rate_limit:
        with account.lock:
            if account.chaos.limits_rate():
                raise rate_limited()
    keys.require_for(api_key, call.method, call.path)
    # https://docs.stripe.com/api/versioning
    g.version = versions.check(request.headers.get("Stripe-Version") or account.api_version)
    return api_key


class _NoAnswer(Response):
    """The connection has ended: nobody is there whom an answer could reach."""

    def __call__(self, _environ: object, _start_response: object) -> NoReturn:
        raise ConnectionError


def _listen(account: Account, listener_id: str) -> Response:
    """The WebSocket of `stripe listen`; see `listeners`."""
    listener = account.listeners.get(listener_id)
    if listener is None or request.headers.get("Websocket-Id") != listener_id:
        raise ApiError("Unknown WebSocket ID.", status=400)
    connection = request.environ["werkzeug.socket"]
    listeners.serve(listener, connection, request.full_path, request.headers.items())
    with account.lock:
        account.listeners.pop(listener_id, None)
    return _NoAnswer()


def _response(answer: Answer) -> Response:
    return Response(answer.body, status=answer.status, mimetype="application/json")


def _name_request() -> None:
    g.request_id = f"req_{random_text(14)}"


def _add_headers(response: Response) -> Response:
    response.headers["Request-Id"] = g.request_id
    if "version" in g:
        response.headers["Stripe-Version"] = g.version
    return response


def _error(error: ApiError) -> Response:
    response = Response(_json(error.body()), status=error.status, mimetype="application/json")
    response.headers.update(error.headers)
    return response


def _unknown_url(error: HTTPException) -> Response:
    if request.path.startswith("/v1/"):
        return _error(ApiError(f"Unrecognized request URL ({request.method}: {request.path}).", status=404))
    return Response(f"{error.code} {error.name}\n", status=error.code, mimetype="text/plain")


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
