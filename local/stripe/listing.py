"""Pages of a list, and references filled in with what they refer to."""

import copy
from collections.abc import Sequence
from typing import Any

from local.stripe.errors import ApiError
from local.stripe.store import Account, StripeObject

DEFAULT_LIMIT = 10


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
    value = node.get(name)
    if isinstance(value, str):
        found = account.find(value)
        if found is None:
            raise ApiError(f"This property cannot be expanded ({path}).", param="expand")
        value = node[name] = copy.deepcopy(found)
    elif name not in node or (value is not None and not isinstance(value, dict | list)):
        raise ApiError(f"This property cannot be expanded ({path}).", param="expand")
    if rest:
        for child in value if isinstance(value, list) else [value]:
            if child is not None:
                _expand(account, child, rest, path)
