"""How the pages are served: each handler takes the account, held for it, and the ids in the path."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from flask import Blueprint, Response

from local.stripe.store import Account

Handler: TypeAlias = Callable[..., Response]
Route: TypeAlias = tuple[str, str, Handler]


def blueprint(name: str, url_prefix: str, account: Account, routes: Iterable[Route]) -> Blueprint:
    pages = Blueprint(name, __name__, url_prefix=url_prefix)
    for method, path, handler in routes:
        pages.add_url_rule(
            path, endpoint=handler.__name__, view_func=_view(account, handler), methods=[method]
        )
    return pages


def _view(account: Account, handler: Handler) -> Handler:
    def view(**ids: str) -> Response:
        with account.at_work():
            return handler(account, **ids)

    return view
