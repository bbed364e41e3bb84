"""Have Stripe deliver its events: one endpoint that is as it should be, and a secret that can be rolled.

Stripe's API cannot give an endpoint a new secret. A second endpoint of the same URL has one: both send every
event, each signed with its own secret, and the workflow takes an event once. So a secret is rolled in two
steps, between which both are accepted:

    roll    new endpoint that sends nothing ─► its secret stored beside its id ─► functions know it ─► in use
    finish  nothing of the old one is pending ─► old one deleted ─► queue and executions are through ─► one
            secret stored

Each step looks at the world before it acts and not at what an earlier one did, so that whatever was
interrupted is resumed by the same command. The rules: an endpoint signs events only once every function
knows its secret; a secret is forgotten only when nothing that it signed waits any more; an endpoint whose
secret nobody has is deleted, and one that is in use never is before another is.
"""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from nyanko.endpoints import Endpoint, NotYet, Standing, standing
from nyanko.signing_secrets import SigningSecret
from nyanko.stripe_events import API_VERSION

if TYPE_CHECKING:
    from nyanko.adapters.stripe_endpoints import StripeEndpoints

RETRIED_SECONDS = 3 * 24 * 3600
"""How long Stripe tries to deliver an event (https://docs.stripe.com/webhooks#retries)."""

POLL_SECONDS = 5.0
PATIENCE_SECONDS = 300


class SecretStore(Protocol):
    def signing_secrets(self) -> list[SigningSecret]: ...

    def store_signing_secrets(self, secrets: Sequence[SigningSecret]) -> None: ...


class Pipeline(Protocol):
    """What was accepted and is on its way."""

    def queued(self) -> int: ...

    def running(self) -> set[str]:
        """Executions, by name."""
        ...


class WebhookEndpoint:
    """The endpoint of a stage at `url`.

    `wait` lasts until every function has read the secrets anew; `say` hears what is being done.
    """

    def __init__(
        self,
        url: str,
        description: str,
        *,
        stripe: "StripeEndpoints",
        secrets: SecretStore,
        pipeline: Pipeline,
        wait: Callable[[], object],
        sleep: Callable[[float], object] = time.sleep,
        say: Callable[[str], object] = lambda _: None,
    ) -> None:
        self._url = url
        self._description = description
        self._stripe = stripe
        self._secrets = secrets
        self._pipeline = pipeline
        self._wait = wait
        self._sleep = sleep
        self._say = say

    def standing(self) -> Standing:
        """How it is now. Raises `NotYet` where nobody can know whose a secret is."""
        return standing(self._stripe.at(self._url), self._secrets.signing_secrets())

    def sync(self) -> str:
        """Have an endpoint that is as it should be, and say what was done.

        An endpoint keeps its API version for life: one of another version is replaced as `roll` does it. A
        roll that was interrupted is resumed.
        """
        found = self._without_orphans()
        newest = found.newest
        if newest is None:
            return f"created {self._begin(found).endpoint_id}"
        if newest.api_version != API_VERSION:
            added = self._begin(found).endpoint_id
            return f"added {added} beside {newest.endpoint_id}; roll --finish ends that"
        if not newest.differences:
            old = ", ".join(endpoint.endpoint_id for endpoint in found.old)
            beside = f"; {old} still stands beside it, which roll --finish ends" if old else ""
            return f"{newest.endpoint_id} is as it should be{beside}"
        self._bring_into_use(newest, found)
        return f"updated {newest.endpoint_id}: {', '.join(newest.differences)}"

    def roll(self) -> str:
        """Have an endpoint with a secret of its own beside the old one; the new one's id.

        Both secrets are accepted from then on. Under way, it goes on where it was interrupted.
        """
        found = self._without_orphans()
        newest = found.newest
        fresh = newest is not None and (found.old or not newest.was_used)
        if newest is None or not fresh or newest.api_version != API_VERSION:
            return self._begin(found).endpoint_id
        self._bring_into_use(newest, found)
        return newest.endpoint_id

    def finish(self, now: int) -> list[str]:
        """Delete all endpoints but the newest, and forget their secrets; the endpoints that are gone.

        Raises `NotYet` while the newest one is not in use, while Stripe still has something to deliver, which
        only the old secret may have signed, and while what it signed has not been verified here.
        """
        found = self.standing()
        newest = found.newest
        if newest is None:
            raise NotYet("no endpoint's secret is stored; make one with `webhook sync`")
        if not newest.is_used:
            raise NotYet(f"{newest.endpoint_id} is not in use yet; `webhook roll` goes on with it")
        if found.old and (pending := self._stripe.undelivered(now - RETRIED_SECONDS)):
            raise NotYet(f"Stripe still has to deliver {pending} and maybe more; try again later")
        gone = [endpoint.endpoint_id for endpoint in [*found.old, *found.orphans]]
        for endpoint_id in gone:
            self._stripe.delete(endpoint_id)
        kept = found.secrets[:1]
        if self._secrets.signing_secrets() != kept:
            if found.secrets[1:]:
                self._drain()
            self._secrets.store_signing_secrets(kept)
        return gone

    def _without_orphans(self) -> Standing:
        found = self.standing()
        for endpoint in found.orphans:
            self._say(
                f"deleting {endpoint.endpoint_id}: nobody has its secret, and what it signed was refused; "
                "`nyanko reconcile --repair` fetches what is missing"
            )
            self._stripe.delete(endpoint.endpoint_id)
        return found

    def _begin(self, found: Standing) -> Endpoint:
        """A new endpoint, in use once its secret is known everywhere."""
        made, secret = self._stripe.create(self._url, self._description)
        self._secrets.store_signing_secrets([SigningSecret(secret, made.endpoint_id), *found.secrets])
        if found.secrets:
            # For whoever looks into Stripe's Dashboard meanwhile; it sends nothing in any case.
            self._stripe.disable(made.endpoint_id)
        self._bring_into_use(made, self.standing())
        return made

    def _bring_into_use(self, endpoint: Endpoint, found: Standing) -> None:
        """Unless it is. Functions that have no secret at all read it at every use: they need no time."""
        if not endpoint.was_used and len(found.secrets) > 1:
            self._say("the functions learn the new secret before it is used: this takes five minutes")
            self._wait()
        if endpoint.differences:
            self._stripe.use(endpoint.endpoint_id)

    def _drain(self) -> None:
        """Wait until all that the old secret signed has been verified: first the queue, then the executions
        that came of it. Raises `NotYet` if that takes too long."""
        self._say("what the old secret signed passes through queue and workflow")
        self._until(lambda: not self._pipeline.queued(), "events wait in the queue")
        self._sleep(POLL_SECONDS)  # ListExecutions is eventually consistent
        started = self._pipeline.running()
        self._until(lambda: not started & self._pipeline.running(), "executions are under way")

    def _until(self, is_so: Callable[[], bool], otherwise: str) -> None:
        for _ in range(int(PATIENCE_SECONDS / POLL_SECONDS)):
            if is_so():
                return
            self._sleep(POLL_SECONDS)
        raise NotYet(
            f"{otherwise} that the old secret may have signed; it stays in force until "
            "`webhook roll --finish` is repeated"
        )
