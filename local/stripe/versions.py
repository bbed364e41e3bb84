"""API versions: what differs between them in the objects that are played, and how an older one is rendered.

Objects are kept in the newest shape. An older version is made of it by undoing, the newest first, every
change that is younger than that version, as Stripe itself does (https://stripe.com/blog/api-versioning).
A version may be named by a request or by a webhook endpoint; otherwise it is the account's default
(https://docs.stripe.com/api/versioning). A version that never existed is refused.

`CHANGES` has one line for each documented difference, with its page. Where a page says that a property was
added, older versions are rendered without it: their references do not list it, so nobody may rely on it.
No page names a difference of refunds between these versions: they look alike in all of them. No page says
that an older version hides a status (`prevented`, `appeal_needs_response`): all versions show it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local.stripe.errors import ApiError
from local.stripe.store import API_VERSION, StripeObject

OLDEST = "2020-08-27"
"""Differences are known from here on; older versions are refused here, though Stripe has them."""

NO_LISTS = "2022-11-15"
"""From here on charges and PaymentIntents list nothing within them."""

LISTS = "_lists"
"""Hidden in charges and PaymentIntents: the lists that older versions show within them, as they were."""

_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})(\.[a-z]+)?")
_FIRST_NAMED = "2024-09-30"
"""From acacia on each version has a name (https://docs.stripe.com/changelog/acacia)."""


@dataclass(frozen=True, slots=True)
class Change:
    """What `since` has changed in the objects called `noun`; `undo` turns one into what it was before.

    `undo` is given a whole object, or the part of one that an event calls its previous attributes.
    """

    since: str
    noun: str
    page: str
    undo: Callable[[StripeObject], None]


def _without(*path: str) -> Callable[[StripeObject], None]:
    """Undo the addition of a property, which may stand within others."""

    def undo(stripe_object: StripeObject) -> None:
        *parents, name = path
        node: Any = stripe_object
        for parent in parents:
            node = node.get(parent) or {}
        node.pop(name, None)

    return undo


def _list_again(name: str) -> Callable[[StripeObject], None]:
    def undo(stripe_object: StripeObject) -> None:
        if LISTS in stripe_object:
            stripe_object[name] = stripe_object[LISTS][name]

    return undo


_UI_MODES = {"hosted_page": "hosted", "embedded_page": "embedded", "elements": "custom"}


def _old_ui_mode(session: StripeObject) -> None:
    if "ui_mode" in session:
        session["ui_mode"] = _UI_MODES.get(session["ui_mode"], session["ui_mode"])


def _shipping_details(session: StripeObject) -> None:
    if "id" in session:
        session["shipping_details"] = (session["collected_information"] or {}).get("shipping_details")


def _shipping(session: StripeObject) -> None:
    if "shipping_details" in session:
        session["shipping"] = session.pop("shipping_details")


CHANGES = (
    Change(
        "2026-10-28.endive",
        "dispute",
        "https://docs.stripe.com/changelog/endive/2026-10-28/evidence-submission-method-property-disputes",
        _without("evidence_details", "submission_method"),
    ),
    Change(
        "2026-10-28.endive",
        "dispute",
        "https://docs.stripe.com/changelog/endive/2026-10-28/evidence-submission-appeal-dispute-decisions",
        _without("evidence", "appeal"),
    ),
    Change(
        "2026-09-30.endive",
        "checkout.session",
        "https://docs.stripe.com/changelog/endive/2026-09-30/remove-payment-method-types-checkout-sessions",
        _without("allowed_payment_method_types"),
    ),
    Change(
        "2026-03-25.dahlia",
        "checkout.session",
        "https://docs.stripe.com/changelog/dahlia/2026-03-25/updates-available-checkout-session-ui-modes",
        _old_ui_mode,
    ),
    Change(
        "2025-03-31.basil",
        "checkout.session",
        "https://docs.stripe.com/changelog/basil/2025-03-31/checkout-session-remove-shipping-details",
        _shipping_details,
    ),
    Change(
        "2024-11-20.acacia",
        "checkout.session",
        "https://docs.stripe.com/changelog/acacia/2024-11-20/adaptive-pricing-param",
        _without("adaptive_pricing"),
    ),
    Change(
        "2024-10-28.acacia",
        "dispute",
        "https://docs.stripe.com/changelog/acacia/2024-10-28/visa-compelling-evidence-3-0",
        _without("enhanced_eligibility_types"),
    ),
    Change(
        "2024-10-28.acacia",
        "dispute",
        "https://docs.stripe.com/changelog/acacia/2024-10-28/visa-compelling-evidence-3-0",
        _without("evidence", "enhanced_evidence"),
    ),
    Change(
        "2024-10-28.acacia",
        "dispute",
        "https://docs.stripe.com/changelog/acacia/2024-10-28/visa-compelling-evidence-3-0",
        _without("evidence_details", "enhanced_eligibility"),
    ),
    Change(
        NO_LISTS,
        "charge",
        "https://docs.stripe.com/changelog/2022-11-15/deprecates-charges-auto-expand",
        _list_again("refunds"),
    ),
    Change(
        NO_LISTS,
        "payment_intent",
        "https://docs.stripe.com/changelog/2022-11-15/removes-charges-attribute-paymentintent",
        _list_again("charges"),
    ),
    Change(
        "2022-08-01",
        "checkout.session",
        "https://docs.stripe.com/changelog/2022-08-01/updates-shipping-property-checkout-session",
        _shipping,
    ),
)


def older(version: str, since: str) -> bool:
    """Whether `version` came before `since`: names do not count, dates do."""
    return version[:10] < since[:10]


def check(version: str, param: str | None = None) -> str:
    """The version, if it can be rendered; raises `ApiError` otherwise."""
    found = _NAME.fullmatch(version)
    named = found is not None and found[2] is not None
    if (
        found is None
        or named != (found[1] >= _FIRST_NAMED)
        or older(version, OLDEST)
        or older(API_VERSION, version)
    ):
        raise ApiError(f"Invalid Stripe API version: {version}", param=param)
    return version


def render(value: Any, version: str) -> Any:  # noqa: ANN401 any part of an answer
    """A copy as `version` shows it; events, and what they picture, as their own `api_version` does.

    https://docs.stripe.com/api/events/list: whatever the version of the request.
    """
    if isinstance(value, list):
        return [render(item, version) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("object") == "event":
        return {**value, "data": _render_data(value["data"], value["api_version"])}
    rendered = {name: render(child, version) for name, child in value.items()}
    _undo(rendered, value.get("object"), version)
    rendered.pop(LISTS, None)
    return rendered


def _render_data(data: dict[str, Any], version: str) -> dict[str, Any]:
    rendered = {"object": render(data["object"], version)}
    if "previous_attributes" in data:
        previous = render(data["previous_attributes"], version)
        _undo(previous, data["object"]["object"], version)
        rendered["previous_attributes"] = previous
    return rendered


def _undo(stripe_object: StripeObject, noun: object, version: str) -> None:
    for change in CHANGES:
        if change.noun == noun and older(version, change.since):
            change.undo(stripe_object)
