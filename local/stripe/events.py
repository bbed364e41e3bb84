"""Events: a frozen picture of an object at the moment something happened to it.

Shape and meaning: https://docs.stripe.com/api/events/object. The picture never changes; the number of
webhooks that are still pending does, so it is filled in whenever an event is read. It is kept in the newest
shape, with what older versions list in it, so that it can be rendered in any version later.
"""

import copy
from typing import Any

from local.stripe import objects
from local.stripe.deliveries import publish
from local.stripe.listing import with_lists
from local.stripe.store import Account, StripeObject


def change(stripe_object: StripeObject, **values: Any) -> dict[str, Any]:  # noqa: ANN401 fields of every type
    """Set fields and return what they were: the `previous_attributes` of an event."""
    previous = {
        name: copy.deepcopy(stripe_object.get(name))
        for name, value in values.items()
        if stripe_object.get(name) != value
    }
    stripe_object.update(values)
    return previous


def emit(
    account: Account, type_: str, stripe_object: StripeObject, previous: dict[str, Any] | None = None
) -> None:
    data = {"object": with_lists(account, copy.deepcopy(stripe_object))}
    if previous:
        data["previous_attributes"] = previous
    publish(account, objects.event(account, type_, data))
