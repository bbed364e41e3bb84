"""`nyanko webhook` against Stripe's API: one endpoint as it should be, a secret that is rolled unnoticed, and
both whatever step was interrupted."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NoReturn

import pytest
from botocore.session import Session

from nyanko.adapters.secretsmanager_secrets import MAX_AGE_SECONDS, Secrets
from nyanko.adapters.stripe_endpoints import StripeEndpoints
from nyanko.composition.adapters import Adapters
from nyanko.composition.secrets import StageSecrets
from nyanko.endpoints import Endpoint, NotYet, Versions
from nyanko.errors import BadInput, Retryable
from nyanko.signing_secrets import SigningSecret
from nyanko.stripe_events import API_VERSION, HANDLED_EVENTS
from nyanko.stripe_signature import check_signature
from nyanko.use_cases.webhook_endpoint import WebhookEndpoint
from ops import smoke, webhook
from ops.stages import Connection, Stage
from tests.integration.stripe_shop import Arrival, Shop

FOREIGN = "https://another.example/webhook"
OLD_VERSION = "2020-08-27"


class Killed(Exception):
    """The operator's process ended here."""


class Steps:
    """Counts what changes the world, and ends the process just before or just after one of it."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.kill_at: tuple[int, str] | None = None

    def __call__(self, name: str, act: Callable[[], Any]) -> Any:
        here = len(self.done)
        self.done.append(name)
        if self.kill_at == (here, "before"):
            raise Killed(name)
        done = act()
        if self.kill_at == (here, "after"):
            raise Killed(name)
        return done


class SecretsInMemory(Secrets):
    def __init__(self, steps: Steps) -> None:
        self._values = {"local_jm_nyanko_stripe_api_key": "sk_test_nyanko"}
        self._steps = steps

    def value(self, name: str, *, max_age_seconds: int = MAX_AGE_SECONDS) -> str:  # noqa: ARG002 nothing is kept
        return self._values.get(name, "")

    def store(self, name: str, value: str) -> None:
        self._steps("store", lambda: self._values.update({name: value}))


class CountedEndpoints(StripeEndpoints):
    """Stripe's endpoints, each change of which is a step."""

    steps: Steps

    def create(self, url: str, description: str) -> tuple[Endpoint, str]:
        made: tuple[Endpoint, str] = self.steps(
            "create", lambda: super(CountedEndpoints, self).create(url, description)
        )
        return made

    def disable(self, endpoint_id: str) -> None:
        self.steps("disable", lambda: super(CountedEndpoints, self).disable(endpoint_id))

    def use(self, endpoint_id: str) -> None:
        self.steps("use", lambda: super(CountedEndpoints, self).use(endpoint_id))

    def delete(self, endpoint_id: str) -> None:
        self.steps("delete", lambda: super(CountedEndpoints, self).delete(endpoint_id))


@dataclass
class Waiting:
    """The pipeline: how much waits in the queue at each look, and which executions run."""

    queue: list[int] = field(default_factory=list)
    executions: list[set[str]] = field(default_factory=list)

    def queued(self) -> int:
        return self.queue.pop(0) if self.queue else 0

    def running(self) -> set[str]:
        return self.executions.pop(0) if self.executions else set()


@dataclass(frozen=True)
class ShopStage(Stage):
    """A stage whose secrets are kept in memory and whose Stripe is the shop's."""

    stripe_url: str = ""
    steps: Steps = field(default_factory=Steps)

    @cached_property
    def adapters(self) -> Adapters:
        adapters = Adapters({"STAGE": "local", "STRIPE_API_URL": self.stripe_url}, self.clients, lambda: 0)
        adapters.__dict__["secrets"] = StageSecrets(SecretsInMemory(self.steps), adapters.resource)
        endpoints = adapters.__dict__["stripe_endpoints"] = CountedEndpoints(adapters.stripe)
        endpoints.steps = self.steps
        return adapters

    @property
    def in_force(self) -> list[str]:
        return [secret.value for secret in self.adapters.secrets.signing_secrets()]

    @property
    def owners(self) -> list[str | None]:
        """The endpoints beside whose ids the secrets are stored."""
        return [secret.endpoint_id for secret in self.adapters.secrets.signing_secrets()]

    def store(self, *secrets: SigningSecret) -> None:
        self.adapters.secrets.store_signing_secrets(secrets)


class Functions:
    """What the webhook's functions accept: the secrets that they have read, which may be those of five
    minutes ago."""

    def __init__(self, shop: Shop, stage: ShopStage) -> None:
        self._shop = shop
        self._stage = stage
        self._known: list[str] = []
        self._seen = 0
        self._sold = 0
        self.refused: list[Arrival] = []

    def read_secrets(self) -> None:
        self.look()
        self._known = self._stage.in_force

    def sell(self) -> None:
        """Sell something, and wait until each endpoint that is in use has told of it."""
        self._shop.sell_and_pay()
        self._sold += sum(one.is_used for one in at(self._shop, self._stage))
        self._shop.webhook.wait_for(lambda all_: sum(map(is_paid, all_)) >= self._sold)
        self.look()

    def look(self) -> None:
        """Check what has come since, with the secrets that are known."""
        known = self._known or self._stage.in_force  # no secret at all is not kept
        arrived = self._shop.webhook.arrivals[self._seen :]
        self._seen += len(arrived)
        self.refused += [one for one in arrived if not signed_by(known, one)]


@pytest.fixture
def stage(shop: Shop) -> ShopStage:
    connection = Connection(Session(), {"": "unused"}, shop.webhook.url)
    return ShopStage("local", lambda: connection, stripe_url=shop.stand_in.url)


@pytest.fixture
def functions(shop: Shop, stage: ShopStage) -> Functions:
    return Functions(shop, stage)


def endpoint_of(
    stage: ShopStage, wait: Callable[[], object] = lambda: None, pipeline: Waiting | None = None
) -> WebhookEndpoint:
    return WebhookEndpoint(
        stage.webhook_url,
        "jm_nyanko local",
        stripe=stage.adapters.stripe_endpoints,
        secrets=stage.adapters.secrets,
        pipeline=pipeline or Waiting(),
        wait=lambda: stage.steps("wait", wait),
        sleep=lambda _: None,
    )


def at(shop: Shop, stage: ShopStage) -> list[Endpoint]:
    return stage.adapters.stripe_endpoints.at(shop.webhook.url)


def endpoints(shop: Shop) -> list[tuple[str, str]]:
    listed = shop.stripe.v1.webhook_endpoints.list().data
    return sorted((one.id, one.status) for one in listed if one.url == shop.webhook.url)


def by_hand(shop: Shop, **changed: Any) -> tuple[str, SigningSecret]:
    """An endpoint that was made by hand or by an older version of the command."""
    events = sorted(HANDLED_EVENTS)
    params: Any = {"url": shop.webhook.url, "enabled_events": events, "api_version": API_VERSION, **changed}
    made = shop.stripe.v1.webhook_endpoints.create(params)
    return made.id, SigningSecret(str(made.secret))


def is_paid(arrival: Arrival) -> bool:
    return b"session.completed" in arrival.body


def signed_by(secrets: Sequence[str], arrival: Arrival) -> bool:
    at = int(arrival.signature.partition("t=")[2].partition(",")[0])
    try:
        check_signature(arrival.body, arrival.signature, secrets, at)
    except BadInput:
        return False
    return True


def accepted(stage: ShopStage, arrival: Arrival) -> bool:
    """Whether our webhook would accept it now."""
    return signed_by(stage.in_force, arrival)


# ─── sync ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_an_endpoint_one_is_created_and_its_secret_kept(shop: Shop, stage: ShopStage) -> None:
    shop.stripe.v1.webhook_endpoints.create({"url": FOREIGN, "enabled_events": ["*"]})
    assert endpoint_of(stage).sync().startswith("created we_")
    [endpoint] = at(shop, stage)
    assert endpoint.api_version == API_VERSION
    assert sorted(endpoint.enabled_events) == sorted(HANDLED_EVENTS)
    assert (len(stage.in_force), stage.owners) == (1, [endpoint.endpoint_id])
    assert "wait" not in stage.steps.done, "there is no older secret that a function could keep"
    shop.sell_and_pay()
    [arrival, *_] = shop.webhook.wait_for(bool)
    assert accepted(stage, arrival)


def test_what_is_as_it_should_be_is_left_alone(shop: Shop, stage: ShopStage) -> None:
    endpoint_of(stage).sync()
    before = (endpoints(shop), stage.in_force)
    assert endpoint_of(stage).sync().endswith("is as it should be")
    assert endpoint_of(stage).finish(int(shop.clock())) == []
    assert (endpoints(shop), stage.in_force) == before


def test_an_endpoint_that_differs_is_updated_and_keeps_its_secret(shop: Shop, stage: ShopStage) -> None:
    endpoint_of(stage).sync()
    [(endpoint_id, _)] = endpoints(shop)
    secret = stage.in_force
    shop.stripe.v1.webhook_endpoints.update(
        endpoint_id, {"enabled_events": ["charge.refunded", "customer.created"], "disabled": True}
    )
    told = endpoint_of(stage).sync()
    assert "is not sent checkout.session.completed" in told
    assert "sends in vain customer.created" in told
    assert "is disabled" in told
    assert (endpoints(shop), stage.in_force) == ([(endpoint_id, "enabled")], secret)


def test_an_endpoint_of_another_version_is_replaced_with_both_secrets_in_force(
    shop: Shop, stage: ShopStage
) -> None:
    old, secret = by_hand(shop, api_version=OLD_VERSION)
    stage.store(secret)
    assert old in endpoint_of(stage).sync()
    assert len(endpoints(shop)) == len(stage.in_force) == 2
    assert stage.in_force[1] == secret.value
    assert endpoint_of(stage).sync().endswith(f"{old} still stands beside it, which roll --finish ends")


def test_an_endpoint_whose_secret_nobody_has_is_replaced(shop: Shop, stage: ShopStage) -> None:
    lost, _ = by_hand(shop)
    assert endpoint_of(stage).sync().startswith("created we_")
    assert [one.endpoint_id for one in at(shop, stage)] == stage.owners
    assert lost not in stage.owners


def test_a_bare_secret_is_that_of_the_one_endpoint(shop: Shop, stage: ShopStage) -> None:
    """Operators store it by hand, and older versions of the command did."""
    by_hand(shop)
    [(endpoint_id, _)] = endpoints(shop)
    stage.store(SigningSecret("whsec_by_hand"))
    endpoint_of(stage).sync()
    assert endpoints(shop) == [(endpoint_id, "enabled")]
    assert stage.in_force == ["whsec_by_hand"]


@pytest.mark.parametrize("command", ["sync", "roll", "finish"])
def test_nobody_guesses_which_of_two_endpoints_a_bare_secret_is_of(
    shop: Shop, stage: ShopStage, functions: Functions, command: str
) -> None:
    by_hand(shop)
    by_hand(shop)
    stage.store(SigningSecret("whsec_of_one"))
    with pytest.raises(NotYet, match="nobody knows which"):
        run(shop, stage, functions, command)
    assert len(endpoints(shop)) == 2


@pytest.mark.parametrize("command", ["sync", "roll", "finish"])
def test_an_older_roll_that_could_not_store_its_secret_ends_well(
    shop: Shop, stage: ShopStage, functions: Functions, command: str
) -> None:
    """It left a disabled endpoint of which no secret is stored."""
    old, secret = by_hand(shop)
    orphan, _ = by_hand(shop)
    shop.stripe.v1.webhook_endpoints.update(orphan, {"disabled": True})
    stage.store(secret)
    functions.read_secrets()
    if command == "finish":
        assert endpoint_of(stage).finish(int(shop.clock())) == [orphan]
        assert endpoints(shop) == [(old, "enabled")]
    else:
        getattr(endpoint_of(stage, functions.read_secrets), command)()
    assert orphan not in dict(endpoints(shop))
    ends_well(shop, stage, functions)


# ─── roll ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_each_half_of_a_roll_can_be_repeated(shop: Shop, stage: ShopStage) -> None:
    endpoint_of(stage).sync()
    [(old, _)] = endpoints(shop)
    new = endpoint_of(stage).roll()
    before = (endpoints(shop), stage.in_force)
    assert endpoint_of(stage).roll() == new
    assert (endpoints(shop), stage.in_force) == before
    assert endpoint_of(stage).finish(int(shop.clock())) == [old]
    assert endpoint_of(stage).finish(int(shop.clock())) == []
    assert endpoints(shop) == [(new, "enabled")]


def test_a_roll_is_not_ended_while_something_is_still_to_be_delivered(shop: Shop, stage: ShopStage) -> None:
    endpoint_of(stage).sync()
    endpoint_of(stage).roll()
    shop.webhook.answers = [503] * 6
    shop.sell_and_pay()
    shop.webhook.wait_for(bool)
    with pytest.raises(NotYet, match="still has to deliver evt_"):
        endpoint_of(stage).finish(int(shop.clock()))
    assert len(stage.in_force) == len(endpoints(shop)) == 2


@pytest.mark.parametrize("status", ["not in use yet", "disabled by hand"])
def test_the_endpoint_that_is_in_use_is_never_deleted_before_another_is(
    shop: Shop, stage: ShopStage, status: str
) -> None:
    endpoint_of(stage).sync()
    [(old, _)] = endpoints(shop)
    if status == "disabled by hand":
        new = endpoint_of(stage).roll()
        shop.stripe.v1.webhook_endpoints.update(new, {"disabled": True})
    else:
        stage.steps.kill_at = (len(stage.steps.done) + 4, "before")  # the step that brings it into use
        with pytest.raises(Killed):
            endpoint_of(stage).roll()
    with pytest.raises(NotYet, match="is not in use yet"):
        endpoint_of(stage).finish(int(shop.clock()))
    assert dict(endpoints(shop))[old] == "enabled"
    assert len(stage.in_force) == 2


def test_the_old_secret_is_in_force_until_all_that_it_signed_is_verified(
    shop: Shop, stage: ShopStage
) -> None:
    endpoint_of(stage).sync()
    [(old, _)] = endpoints(shop)
    new = endpoint_of(stage).roll()
    signed_by_old, since, later = {"evt_1"}, {"evt_1", "evt_2"}, {"evt_2", "evt_3"}
    looks = Waiting(queue=[3, 1, 0], executions=[signed_by_old, since, later])
    assert endpoint_of(stage, pipeline=looks).finish(int(shop.clock())) == [old]
    assert (looks.queue, looks.executions) == ([], []), "what began later is not waited for"
    assert stage.owners == [new]


@pytest.mark.parametrize(
    ("stuck", "said"),
    [(Waiting(queue=[1] * 100), "wait in the queue"), (Waiting(executions=[{"evt_1"}] * 100), "under way")],
)
def test_a_secret_that_is_still_needed_is_forgotten_by_a_later_finish(
    shop: Shop, stage: ShopStage, stuck: Waiting, said: str
) -> None:
    endpoint_of(stage).sync()
    new = endpoint_of(stage).roll()
    with pytest.raises(NotYet, match=said):
        endpoint_of(stage, pipeline=stuck).finish(int(shop.clock()))
    assert len(stage.in_force) == 2
    assert endpoints(shop) == [(new, "enabled")], "it signs nothing any more"
    assert endpoint_of(stage).finish(int(shop.clock())) == []
    assert stage.owners == [new]


# ─── Interrupted ────────────────────────────────────────────────────────────────────────────────────────────


def ends_well(shop: Shop, stage: ShopStage, functions: Functions) -> None:
    """After the command's repetition and `--finish`: one endpoint in use, its secret and no other in force,
    every delivery accepted."""
    functions.sell()
    endpoint_of(stage, functions.read_secrets).finish(int(shop.clock()))
    functions.read_secrets()
    functions.sell()
    [endpoint] = at(shop, stage)
    assert endpoint.differences == []
    assert stage.owners == [endpoint.endpoint_id]
    assert functions.refused == []


def begun(shop: Shop, stage: ShopStage, functions: Functions, command: str) -> None:
    """A stage that sells, in which the command has something to do."""
    if command == "sync":
        _, secret = by_hand(shop, api_version=OLD_VERSION)
        stage.store(secret)
    else:
        endpoint_of(stage).sync()
    functions.read_secrets()
    functions.sell()
    if command == "finish":
        endpoint_of(stage, functions.read_secrets).roll()
        functions.sell()
    stage.steps.done.clear()


def run(shop: Shop, stage: ShopStage, functions: Functions, command: str) -> object:
    """The command, while somebody buys in its five minutes."""

    def wait() -> None:
        functions.sell()
        functions.read_secrets()

    endpoint = endpoint_of(stage, wait)
    return endpoint.finish(int(shop.clock())) if command == "finish" else getattr(endpoint, command)()


STEPS = {
    "sync": ["create", "store", "disable", "wait", "use"],
    "roll": ["create", "store", "disable", "wait", "use"],
    "finish": ["delete", "store"],
}
KILLS = [
    (command, position, moment)
    for command, steps in STEPS.items()
    for position in range(len(steps))
    for moment in ("before", "after")
]


@pytest.mark.parametrize("command", STEPS)
def test_these_are_the_steps(shop: Shop, stage: ShopStage, functions: Functions, command: str) -> None:
    begun(shop, stage, functions, command)
    run(shop, stage, functions, command)
    assert stage.steps.done == STEPS[command]
    ends_well(shop, stage, functions)


def interrupted(
    shop: Shop, stage: ShopStage, functions: Functions, command: str, kill_at: tuple[int, str]
) -> None:
    """The command dies there, and somebody buys."""
    begun(shop, stage, functions, command)
    stage.steps.kill_at = kill_at
    with pytest.raises(Killed):
        run(shop, stage, functions, command)
    functions.sell()


@pytest.mark.parametrize(("command", "position", "moment"), KILLS)
def test_a_command_that_was_interrupted_is_resumed_by_itself(
    shop: Shop, stage: ShopStage, functions: Functions, command: str, position: int, moment: str
) -> None:
    interrupted(shop, stage, functions, command, (position, moment))
    run(shop, stage, functions, command)
    ends_well(shop, stage, functions)


@pytest.mark.parametrize(("command", "position", "moment"), [kill for kill in KILLS if kill[0] != "finish"])
@pytest.mark.parametrize("other", ["sync", "roll", "finish"])
def test_whatever_command_follows_an_interrupted_one_nothing_is_refused(
    shop: Shop, stage: ShopStage, functions: Functions, command: str, position: int, moment: str, other: str
) -> None:
    interrupted(shop, stage, functions, command, (position, moment))
    with suppress(NotYet):  # finish, while the new endpoint is not in use
        run(shop, stage, functions, other)
    functions.sell()
    run(shop, stage, functions, "sync")
    ends_well(shop, stage, functions)


def test_a_first_endpoint_whose_secret_could_not_be_stored_is_made_anew(
    shop: Shop, stage: ShopStage, functions: Functions
) -> None:
    stage.steps.kill_at = (1, "before")  # the step that stores
    with pytest.raises(Killed):
        endpoint_of(stage).sync()
    [(orphan, _)] = endpoints(shop)
    assert endpoint_of(stage).sync().startswith("created we_")
    assert orphan not in dict(endpoints(shop))
    ends_well(shop, stage, functions)


# ─── Versions ───────────────────────────────────────────────────────────────────────────────────────────────


def test_where_versions_differ_is_said(shop: Shop, stage: ShopStage, monkeypatch: pytest.MonkeyPatch) -> None:
    assert webhook.versions(stage) is None
    by_hand(shop, api_version=OLD_VERSION)
    monkeypatch.setattr(stage.adapters.stripe_endpoints, "account_version", lambda: "2024-06-20")
    versions = webhook.versions(stage)
    assert versions == Versions(OLD_VERSION, "2024-06-20")
    assert versions.differences == [
        (
            f"the endpoint delivers events of API version {OLD_VERSION}, our code reads {API_VERSION}: "
            "`webhook sync` replaces it"
        ),
        "the account's default API version is 2024-06-20: events that are fetched come in it",
    ]
    assert Versions(API_VERSION, None).differences == Versions(API_VERSION, API_VERSION).differences == []


def test_a_deployment_that_delivers_in_another_version_is_found_out(
    shop: Shop, stage: ShopStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage.adapters.stripe_endpoints, "account_version", lambda: "2024-06-20")
    assert [(look.well, "no endpoint" in look.seen) for look in smoke.look_at_stripe(stage)] == [
        (False, True)
    ]
    by_hand(shop, api_version=OLD_VERSION)
    assert [(look.well, look.seen) for look in smoke.look_at_stripe(stage)] == [
        (False, OLD_VERSION),
        (True, f"2024-06-20, not {API_VERSION}: what is fetched comes in it"),
    ]


@pytest.mark.parametrize(
    ("code", "well"),
    [("ServiceUnavailable", True), ("StripeRefusesKey", False), ("StripeUnavailable", False)],
)
def test_who_may_not_read_the_key_does_not_look_and_a_refused_key_is_found_out(
    stage: ShopStage, monkeypatch: pytest.MonkeyPatch, code: Any, *, well: bool
) -> None:
    def refused(*_given: object) -> NoReturn:
        raise Retryable(code, "no")

    monkeypatch.setattr(stage.adapters.stripe_endpoints, "at", refused)
    assert [look.well for look in smoke.look_at_stripe(stage)] == [well]


def test_the_newest_event_shows_the_accounts_version(shop: Shop, stage: ShopStage) -> None:
    assert stage.adapters.stripe_endpoints.account_version() is None
    shop.sell_and_pay()
    [newest] = shop.stripe.v1.events.list({"limit": 1}).data
    assert stage.adapters.stripe_endpoints.account_version() == newest.api_version
