"""Stripe's webhook endpoint: that there is one, that it sends what we handle, and who signs.

Stripe's API cannot give an endpoint a new secret. A second endpoint of the same URL has one: both send every
event, each signed with its own secret, and the workflow takes an event once. So a secret is rolled in two
steps, between which both are accepted:

    roll            new endpoint, disabled ─► both secrets stored ─► functions know them ─► enabled
    roll --finish   nothing of the old one is pending ─► old endpoint deleted ─► one secret stored
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from nyanko.adapters.secretsmanager_secrets import MAX_AGE_SECONDS
from nyanko.adapters.stripe_client import stripe_errors
from nyanko.stripe_events import API_VERSION, HANDLED_EVENTS
from ops.stages import Stage

RETRIED_SECONDS = 3 * 24 * 3600
"""How long Stripe tries to deliver an event (https://docs.stripe.com/webhooks#retries)."""


class NotYet(Exception):
    """The step cannot be done now; the text says what it waits for."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    endpoint_id: str
    url: str
    status: str
    api_version: str | None
    enabled_events: Sequence[str]
    created: int

    @property
    def differences(self) -> list[str]:
        """In what it is not as it should be."""
        found = []
        if self.api_version != API_VERSION:
            found.append(f"API version {self.api_version}, not {API_VERSION}")
        for kind, events in (
            ("is not sent", sorted(HANDLED_EVENTS - set(self.enabled_events))),
            ("sends in vain", sorted(set(self.enabled_events) - HANDLED_EVENTS)),
        ):
            found += [f"{kind} {event}" for event in events]
        if self.status != "enabled":
            found.append(f"is {self.status}")
        return found


def wait_for_functions() -> None:
    """Until every function has read the secrets anew."""
    time.sleep(MAX_AGE_SECONDS)


def endpoints(stage: Stage) -> list[Endpoint]:
    """Those of this stage, by their URL, the oldest first."""
    with stripe_errors():
        listed = list(_api(stage).list({"limit": 100}).auto_paging_iter())
    found = [
        Endpoint(one.id, one.url, one.status, one.api_version, one.enabled_events, one.created)
        for one in listed
        if one.url == stage.webhook_url
    ]
    return sorted(found, key=lambda endpoint: (endpoint.created, endpoint.endpoint_id))


def sync(stage: Stage, *, wait: Callable[[], object] = wait_for_functions) -> str:
    """Have one endpoint that is as it should be, and say what was done.

    A new one's secret is stored. An endpoint keeps its API version for life: one of another version is
    replaced as `roll` does it.
    """
    found = endpoints(stage)
    if not found:
        return f"created {_create(stage)}"
    current = found[-1]
    if current.api_version != API_VERSION:
        return f"added {roll(stage, wait=wait)} beside {current.endpoint_id}; roll --finish ends that"
    if not current.differences:
        return f"{current.endpoint_id} is as it should be"
    with stripe_errors():
        _api(stage).update(current.endpoint_id, {"enabled_events": _events(), "disabled": False})
    return f"updated {current.endpoint_id}: {', '.join(current.differences)}"


def roll(stage: Stage, *, wait: Callable[[], object] = wait_for_functions) -> str:
    """Add an endpoint with a secret of its own; both secrets are accepted from then on.

    `wait` lasts until every function has read the secrets anew. Raises `NotYet` while a roll is unfinished.
    """
    if len(endpoints(stage)) > 1:
        raise NotYet("a roll is under way; end it with `webhook roll --finish`")
    kept = stage.adapters.secrets.webhook_secrets()
    created = _create(stage, kept=kept, disabled=True)
    wait()
    with stripe_errors():
        _api(stage).update(created, {"disabled": False})
    return created


def finish(stage: Stage, now: int) -> list[str]:
    """Delete all endpoints but the newest, and forget their secrets; the endpoints that are gone.

    Raises `NotYet` while Stripe still has something to deliver: only the old secret may have signed it.
    """
    old = endpoints(stage)[:-1]
    if not old:
        raise NotYet("there is no old endpoint; begin with `webhook roll`")
    undelivered: Any = {
        "delivery_success": False,
        "types": _events(),
        "created": {"gte": now - RETRIED_SECONDS},
        "limit": 1,
    }
    with stripe_errors():
        pending = stage.adapters.stripe.client.v1.events.list(undelivered).data
    if pending:
        raise NotYet(f"Stripe still has to deliver {pending[0].id} and maybe more; try again later")
    for endpoint in old:
        with stripe_errors():
            _api(stage).delete(endpoint.endpoint_id)
    secrets = stage.adapters.secrets
    secrets.store_webhook_secrets(secrets.webhook_secrets()[:1])
    return [endpoint.endpoint_id for endpoint in old]


def _create(stage: Stage, *, kept: Sequence[str] = (), disabled: bool = False) -> str:
    """A new endpoint whose secret stands first in the store, before the ones that are kept."""
    params: Any = {
        "url": stage.webhook_url,
        "enabled_events": _events(),
        "api_version": API_VERSION,
        "description": f"jm_nyanko {stage.name}",
    }
    with stripe_errors():
        created = _api(stage).create(params)
        if disabled:
            _api(stage).update(created.id, {"disabled": True})
    stage.adapters.secrets.store_webhook_secrets([created.secret, *kept])
    return str(created.id)


def _api(stage: Stage) -> Any:  # noqa: ANN401 the SDK's own service
    return stage.adapters.stripe.client.v1.webhook_endpoints


def _events() -> list[Any]:
    """The SDK types them as literals."""
    return sorted(HANDLED_EVENTS)
