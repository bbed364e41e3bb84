"""Stripe's webhook endpoints: what one should be, and which of the stored secrets is whose."""

from collections.abc import Sequence
from dataclasses import dataclass

from nyanko.signing_secrets import SigningSecret
from nyanko.stripe_events import API_VERSION, HANDLED_EVENTS

NOTHING = "test_helpers.test_clock.deleted"
"""The one event that an endpoint asks for before it is in use: Stripe wants one, and this one has no customer
(https://docs.stripe.com/api/test_clocks: test mode only)."""


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
    def was_used(self) -> bool:
        """Whether it asks for events that we handle; a new one does not before its secret is known."""
        return not HANDLED_EVENTS.isdisjoint(self.enabled_events) or "*" in self.enabled_events

    @property
    def is_used(self) -> bool:
        """Whether Stripe sends it the events that we handle."""
        return self.status == "enabled" and self.was_used

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


@dataclass(frozen=True, slots=True)
class Standing:
    """The endpoints of a stage and the stored secrets, put together.

    `known` are the endpoints whose secret is stored, the oldest first; `orphans` those whose secret nobody
    has: what they sign is refused. `left_over` are secrets of endpoints that are gone.
    """

    known: Sequence[tuple[Endpoint, SigningSecret]]
    orphans: Sequence[Endpoint]
    left_over: Sequence[SigningSecret]

    @property
    def newest(self) -> Endpoint | None:
        return self.known[-1][0] if self.known else None

    @property
    def old(self) -> list[Endpoint]:
        return [endpoint for endpoint, _ in self.known[:-1]]

    @property
    def secrets(self) -> list[SigningSecret]:
        """All that are stored, the newest first, each with its endpoint."""
        return [secret for _, secret in reversed(self.known)] + list(self.left_over)


def standing(endpoints: Sequence[Endpoint], secrets: Sequence[SigningSecret]) -> Standing:
    """Put the endpoints (the oldest first) and the secrets (the newest first) together.

    A bare secret is that of an endpoint without one. Raises `NotYet` where it could be that of several.
    """
    by_id = {secret.endpoint_id: secret for secret in secrets if secret.endpoint_id}
    bare = [secret for secret in secrets if secret.endpoint_id is None]
    # One that was never used was interrupted before its secret was stored, which is stored with its id.
    nameless = [one for one in endpoints if one.endpoint_id not in by_id and one.was_used]
    if len(bare) < len(nameless):
        nameless = [endpoint for endpoint in nameless if endpoint.is_used] if bare else []
        if len(bare) < len(nameless):
            names = ", ".join(endpoint.endpoint_id for endpoint in nameless)
            raise NotYet(
                f"{len(bare)} of the endpoints {names} has a stored secret, and nobody knows which: "
                "store each secret after its endpoint's id, `we_… whsec_…`, or delete an endpoint in Stripe"
            )
    for endpoint, secret in zip(reversed(nameless), bare, strict=False):
        by_id[endpoint.endpoint_id] = SigningSecret(secret.value, endpoint.endpoint_id)
    ids = {endpoint.endpoint_id for endpoint in endpoints}
    return Standing(
        known=[(one, by_id[one.endpoint_id]) for one in endpoints if one.endpoint_id in by_id],
        orphans=[one for one in endpoints if one.endpoint_id not in by_id],
        left_over=[
            *(secret for name, secret in by_id.items() if name not in ids),
            *bare[len(nameless) :],
        ],
    )


@dataclass(frozen=True, slots=True)
class Versions:
    """Stripe's API versions: `endpoint` is that of the endpoint in use, `account` the account's default one,
    None if no event shows it.

    Deliveries come in the endpoint's version, the events that Stripe's API returns in the account's
    (https://docs.stripe.com/api/events/list).
    """

    endpoint: str | None
    account: str | None

    @property
    def differences(self) -> list[str]:
        """What differs from the version that our code reads; sentences."""
        found = []
        if self.endpoint != API_VERSION:
            found.append(
                f"the endpoint delivers events of API version {self.endpoint}, our code reads {API_VERSION}: "
                "`webhook sync` replaces it"
            )
        if self.account is not None and self.account != API_VERSION:
            found.append(
                f"the account's default API version is {self.account}: events that are fetched come in it"
            )
        return found
