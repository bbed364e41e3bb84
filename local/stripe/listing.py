"""Pages of a list, and references filled in with what they refer to."""

import copy
from collections.abc import Sequence
from typing import Any

from local.stripe import keys
from local.stripe.errors import ApiError
from local.stripe.store import Account, StripeObject
from local.stripe.versions import LISTS

DEFAULT_LIMIT = 10

MAX_EXPAND_DEPTH = 4
"""Levels (https://docs.stripe.com/expand#how-it-works); in a list `data` is one of them."""


def page(items: Sequence[StripeObject], params: dict[str, Any], url: str) -> StripeObject:
    """One page of items that come newest first (https://docs.stripe.com/api/pagination).

    `starting_after` gives the items that follow the named one, `ending_before` those right in front of it.
    """
    limit = params.get("limit", DEFAULT_LIMIT)
    if "starting_after" in params and "ending_before" in params:
        raise ApiError("You may only specify one of these parameters: ending_before, starting_after.")
    if "ending_before" in params:
        end = _position(items, params, "ending_before")
        start = max(0, end - limit)
        return _list(items[start:end], url, has_more=start > 0)
    start = _position(items, params, "starting_after") + 1 if "starting_after" in params else 0
    return _list(items[start : start + limit], url, has_more=start + limit < len(items))


def within(created: int, bounds: dict[str, int]) -> bool:
    """Whether a time fits what the parameter `created` asks for."""
    return (
        created > bounds.get("gt", -1)
        and created >= bounds.get("gte", 0)
        and created < bounds.get("lt", created + 1)
        and created <= bounds.get("lte", created)
    )


def expand(account: Account, answer: StripeObject, paths: Sequence[str]) -> StripeObject:
    """A copy with the objects behind the dotted paths in place of their ids (https://docs.stripe.com/expand)."""
    expanded = copy.deepcopy(answer)
    for path in paths:
        _expand(account, expanded, path.split("."), path)
    return expanded


def check_depth(paths: Sequence[str]) -> None:
    """Raises `ApiError` for a path of too many levels, before the call does anything."""
    for path in paths:
        if len(path.split(".")) > MAX_EXPAND_DEPTH:
            raise ApiError(
                f"You cannot expand more than {MAX_EXPAND_DEPTH} levels of a property. Property: {path}",
                param="expand",
            )


def with_lists(account: Account, value: Any) -> Any:  # noqa: ANN401 any part of an answer
    """Put into charges and PaymentIntents what older versions list in them; events have their own already."""
    if isinstance(value, list):
        for item in value:
            with_lists(account, item)
    elif isinstance(value, dict) and value.get("object") != "event":
        for child in list(value.values()):
            with_lists(account, child)
        if value.get("object") == "charge":
            value[LISTS] = {"refunds": refunds_of(account, value)}
        elif value.get("object") == "payment_intent":
            value[LISTS] = {"charges": _charges_of(account, value)}
    return value


def refunds_of(account: Account, charge: StripeObject) -> StripeObject:
    """The newest ten, as within a charge
    (https://docs.stripe.com/changelog/2022-11-15/deprecates-charges-auto-expand)."""
    refunds = [copy.deepcopy(one) for one in account.every("refund") if one["charge"] == charge["id"]]
    return page(refunds, {}, f"/v1/charges/{charge['id']}/refunds")


def _charges_of(account: Account, intent: StripeObject) -> StripeObject:
    charges = [copy.deepcopy(one) for one in account.every("charge") if one["payment_intent"] == intent["id"]]
    found = page(charges, {}, f"/v1/charges?payment_intent={intent['id']}")
    with_lists(account, found)
    return found


def _list(items: Sequence[StripeObject], url: str, *, has_more: bool) -> StripeObject:
    return {"object": "list", "data": list(items), "has_more": has_more, "url": url}


def _position(items: Sequence[StripeObject], params: dict[str, Any], cursor: str) -> int:
    for position, item in enumerate(items):
        if item["id"] == params[cursor]:
            return position
    raise ApiError(f"No such object: '{params[cursor]}'", code="resource_missing", param=cursor)


def _expand(account: Account, node: StripeObject, names: list[str], path: str) -> None:
    name, *rest = names
    if node.get("object") == "checkout.session" and name == "line_items":
        lines = account.line_items[node["id"]]
        node[name] = page(
            copy.deepcopy(lines), {"limit": 100}, f"/v1/checkout/sessions/{node['id']}/line_items"
        )
    if node.get("object") == "charge" and name == "refunds":
        _require_readable(account, "refund")
        node[name] = refunds_of(account, node)
    value = node.get(name)
    if isinstance(value, str):
        found = account.find(value)
        if found is None:
            raise ApiError(f"This property cannot be expanded ({path}).", param="expand")
        _require_readable(account, found["object"])
        value = node[name] = copy.deepcopy(found)
    elif name not in node or (value is not None and not isinstance(value, dict | list)):
        raise ApiError(f"This property cannot be expanded ({path}).", param="expand")
    if rest:
        for child in value if isinstance(value, list) else [value]:
            if child is not None:
                _expand(account, child, rest, path)


def _require_readable(account: Account, noun: str) -> None:
    if account.request is not None and noun in keys.NOUNS:
        keys.require(account.request.key, keys.NOUNS[noun], "read")
