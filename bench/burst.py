"""`python -m bench.burst`: bursts of 100,000 events against the quotas of AWS, simulated.

    Stripe ──► API Gateway ──► stripe_webhook ──► queue ──► start_payment ──► StartExecution
      ▲ 429, 5xx: again later                       ▲ failed: again later           │
                                                                                    ▼
                                  table or function, throttled: again later ◄── state transitions

What is deployed is read from template.yaml, the workflow and the functions, what AWS allows from quotas.yaml.
Every hour reconciliation asks for what has not been started. Exits 1 if an event is lost or parked.
"""

import sys
from collections import Counter, deque
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import yaml

from bench.report import table, write
from bench.simulation import Bucket, Clock, Environments, Process
from local.names import ROOT
from nyanko.adapters.stepfunctions_payments import ATTEMPTS
from nyanko.reconciliation import SETTLED_SECONDS
from nyanko.use_cases.start_payment import MESSAGE_SECONDS
from tests import template

SCALE = ROOT / "docs" / "scale.md"
QUOTAS: Mapping[str, Any] = yaml.safe_load((ROOT / "bench" / "quotas.yaml").read_text())
ASSUMED: Mapping[str, Any] = QUOTAS["assumed"]
NEW_ACCOUNT = QUOTAS["lambda"]["new_account_concurrent_executions"]
SDK_MAX_WAIT_SECONDS = 20
FIRST_WALK_SECONDS = 1000
"""When reconciliation first looks: while a burst still waits in the queue, which is the worst moment."""

WALK_SECONDS = 3600
PARTITIONS = (
    QUOTAS["dynamodb"]["new_table"]["write_units_per_second"]
    // (QUOTAS["dynamodb"]["partition"]["write_units_per_second"])
)
"""Of a new table, whose keys are spread over them evenly."""


@dataclass(frozen=True, slots=True)
class State:
    """One state of a granted purchase and its patience with throttling; times are seconds."""

    name: str
    function: str | None
    must_succeed: bool
    interval: float
    rate: float
    max_wait: float
    retries: int

    @classmethod
    def of(cls, name: str, state: Mapping[str, Any]) -> "State":
        function = state["Resource"].endswith(":lambda:invoke")
        error = "Lambda.TooManyRequestsException" if function else "States.TaskFailed"
        retry = next(one for one in state["Retry"] if error in one["ErrorEquals"])
        return cls(
            name,
            name if function else None,
            state["Catch"][-1]["Next"] == "ParkEvent",
            retry["IntervalSeconds"],
            retry["BackoffRate"],
            retry["MaxDelaySeconds"],
            retry["MaxAttempts"],
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """What is ours to choose; times are seconds."""

    webhook_rate: float
    webhook_burst: float
    batch_size: int
    maximum_concurrency: int
    visibility_timeout: float
    max_receives: int
    function_timeout: float
    message_seconds: float
    attempts: int
    execution_timeout: float
    states: Sequence[State]
    asks_the_row: bool = True
    """Whether a duplicate of a finished event is known by the event's row, and not by its execution."""

    @classmethod
    def deployed(cls) -> "Settings":
        methods = template.RESOURCES["RestApi"]["Properties"]["MethodSettings"]
        webhook = next(one for one in methods if one["ResourcePath"] == "/~1stripe~1webhook")
        function = template.functions()["start_payment"]
        mapping = function.events["PaymentEvents"]["Properties"]
        queue = template.RESOURCES["PaymentEvents"]["Properties"]
        definition = template.definition("PaymentStateMachine")
        return cls(
            webhook_rate=webhook["ThrottlingRateLimit"],
            webhook_burst=webhook["ThrottlingBurstLimit"],
            batch_size=mapping["BatchSize"],
            maximum_concurrency=mapping["ScalingConfig"]["MaximumConcurrency"],
            visibility_timeout=queue["VisibilityTimeout"],
            max_receives=queue["RedrivePolicy"]["maxReceiveCount"],
            function_timeout=function.timeout,
            message_seconds=MESSAGE_SECONDS,
            attempts=ATTEMPTS,
            execution_timeout=definition["TimeoutSeconds"],
            states=[State.of(*one) for one in granted(definition)],
        )


def granted(definition: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """The states that a purchase passes when nothing fails."""
    passed, name = [], definition["StartAt"]
    while name:
        state = definition["States"][name]
        passed.append((name, state))
        name = state.get("Next")
    return passed


@dataclass(frozen=True, slots=True)
class Burst:
    """`events` payments within `seconds`; a share of `duplicates` is delivered again `again_seconds` later.

    `left` is the share of Step Functions' quotas that others in the account leave over, from the start until
    `left_until` (seconds); `concurrency` is Lambda's.
    """

    name: str
    events: int = 100_000
    seconds: float = 100
    duplicates: float = 0.0
    again_seconds: float = 60
    left: float = 1.0
    left_until: float = float("inf")
    concurrency: int = QUOTAS["lambda"]["concurrent_executions"]


@dataclass(slots=True)
class Message:
    """`by_id` is one whose body VerifyEvent has to ask Stripe for."""

    event: int
    by_id: bool = False
    receives: int = 0
    put_at: float = 0.0


@dataclass(slots=True)
class Outcome:
    """`delays` are seconds from the payment until its items are granted; `depth` is the queue's by minute.

    `not_started` counts what the alarm of that name does; `oldest_seconds` is the age of the oldest message
    that the queue has had.
    """

    burst: Burst
    delays: list[float] = field(default_factory=list)
    depth: dict[int, int] = field(default_factory=dict)
    throttled: Counter[str] = field(default_factory=Counter)
    redelivered: int = 0
    not_started: int = 0
    oldest_seconds: float = 0.0
    asked_for: int = 0
    parked: set[int] = field(default_factory=set)
    ended: float = 0.0

    @property
    def lost(self) -> int:
        """Neither granted nor parked after days: Stripe gave up, and nobody asked for them."""
        return self.burst.events - len(self.delays) - len(self.parked)

    @property
    def is_sound(self) -> bool:
        return not self.lost and not self.parked

    def delay(self, share: float) -> float:
        ordered = sorted(self.delays)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


class Quota:
    """A token bucket of Step Functions, of which others in the account take their part for a while."""

    def __init__(self, clock: Clock, name: str, burst: Burst) -> None:
        size, per_second = QUOTAS["step_functions"][name].values()
        self._clock, self._until = clock, burst.left_until
        self._shared = Bucket(clock, size * burst.left, per_second * burst.left or 1e-9)
        self._whole = Bucket(clock, size, per_second)

    @property
    def bucket(self) -> Bucket:
        return self._shared if self._clock.now < self._until else self._whole


class Pipeline:
    """The deployed pipeline under one burst."""

    def __init__(self, settings: Settings, burst: Burst, seed: int) -> None:
        self.outcome = Outcome(burst)
        self._set, self._burst = settings, burst
        self._dice = Random(seed)  # noqa: S311 dice, not keys
        clock = self._clock = Clock()
        self._webhook = Bucket(clock, settings.webhook_burst, settings.webhook_rate)
        self._lambda = Environments(clock, burst.concurrency, QUOTAS["lambda"]["environments_per_10_seconds"])
        self._starts = Quota(clock, "start_execution", burst)
        self._describes = Quota(clock, "describe_execution", burst)
        self._transitions = Quota(clock, "state_transition", burst)
        stripe = QUOTAS["stripe"]["endpoint_requests_per_second"]
        self._stripe = Bucket(clock, stripe, stripe)
        self._partitions: dict[tuple[str, int], Bucket] = {}
        self._queue: deque[Message] = deque()
        self._pollers = 0
        self._paid: list[float] = []
        self._started: set[int] = set()
        self._finished: set[int] = set()

    def run(self) -> Outcome:
        burst = self._burst
        for event in range(burst.events):
            at = burst.seconds * event / burst.events
            self._paid.append(at)
            self._clock.start(self._deliver(event), at)
            if self._dice.random() < burst.duplicates:
                self._clock.start(self._deliver(event), at + burst.again_seconds)
        self._clock.start(self._reconcile(), FIRST_WALK_SECONDS)
        self._clock.run()
        self.outcome.ended = self._clock.now
        return self.outcome

    # Stripe and the webhook

    def _deliver(self, event: int) -> Process:
        for wait in (0, *QUOTAS["stripe"]["redelivery_waits"]):
            self.outcome.redelivered += bool(wait)
            yield wait
            if not self._webhook.take():
                self.outcome.throttled["API Gateway"] += 1
                continue
            environment = self._enter("stripe_webhook")
            if environment is None:
                continue
            yield self._seconds(environment)
            self._lambda.leave("stripe_webhook")
            self._put(Message(event, put_at=self._clock.now))
            return

    def _reconcile(self) -> Process:
        while len(self._started) + len(self.outcome.parked) < self._burst.events:
            for event, paid_at in enumerate(self._paid):
                if event not in self._started and paid_at < self._clock.now - SETTLED_SECONDS:
                    self.outcome.asked_for += 1
                    self._put(Message(event, by_id=True, put_at=self._clock.now))
            yield WALK_SECONDS

    # The queue and start_payment

    def _put(self, message: Message) -> None:
        self._queue.append(message)
        self._look()
        if self._pollers < self._set.maximum_concurrency:
            self._pollers += 1
            self._clock.start(self._poll())

    def _look(self) -> None:
        minute, depth = int(self._clock.now // 60), self.outcome.depth
        depth[minute] = max(depth.get(minute, 0), len(self._queue))

    def _poll(self) -> Process:
        """One of the batches that may be under way at once."""
        while self._queue:
            received_at, batch = self._clock.now, self._receive()
            failed = yield from self._start_batch(batch)
            ages = [self._clock.now - message.put_at for message in batch]
            self.outcome.oldest_seconds = max(self.outcome.oldest_seconds, 0.0, *ages)
            for message in failed:
                back = received_at + self._set.visibility_timeout - self._clock.now
                self._clock.start(self._return(message), max(0.0, back))
            yield ASSUMED["batch_overhead_seconds"]
        self._pollers -= 1

    def _receive(self) -> list[Message]:
        self._look()
        received = [self._queue.popleft() for _ in range(min(self._set.batch_size, len(self._queue)))]
        for message in received:
            message.receives += 1
            if message.receives > self._set.max_receives and message.event not in self._started:
                self.outcome.parked.add(message.event)
        return [message for message in received if message.receives <= self._set.max_receives]

    def _return(self, message: Message) -> Process:
        self._put(message)
        yield from ()

    def _start_batch(self, batch: list[Message]) -> Generator[float, None, list[Message]]:
        """What goes back to the queue: what failed, or all if the function ran out of time."""
        asked_at = self._clock.now
        while (environment := self._enter("start_payment")) is None:
            # The mapping asks Lambda again for as long as the messages are its own.
            yield 1.0
            if self._clock.now - asked_at > self._set.visibility_timeout:
                return batch
        begun, failed = self._clock.now, []
        yield self._cold(environment)
        for message in batch:
            left = self._set.function_timeout - (self._clock.now - begun)
            if left < self._set.message_seconds or not (yield from self._start(message)):
                failed.append(message)
            if self._clock.now - begun > self._set.function_timeout:
                failed = batch
                break
        self._lambda.leave("start_payment")
        return failed

    def _start(self, message: Message) -> Generator[float, None, bool]:
        """Whether the message is done: an execution was started, or it is a duplicate. A copy of an event
        whose execution runs comes back once."""
        if not (yield from self._call("StartExecution", self._starts, ASSUMED["start_execution_seconds"])):
            self.outcome.not_started += 1
            return False
        if message.event not in self._started:
            self._started.add(message.event)
            self.outcome.parked.discard(message.event)
            self._clock.start(self._execute(message))
            return True
        if self._set.asks_the_row:
            yield ASSUMED["aws_call_seconds"]
            if message.event in self._finished:
                return True
            if message.receives == 1:
                return False
        if not (yield from self._call("DescribeExecution", self._describes, ASSUMED["aws_call_seconds"])):
            self.outcome.not_started += 1
            return False
        return True

    def _call(self, name: str, quota: Quota, seconds: float) -> Generator[float, None, bool]:
        """One call by the SDK with its attempts; False if all were throttled
        (https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html)."""
        for attempt in range(self._set.attempts):
            if attempt:
                yield self._dice.random() * min(2 ** (attempt - 1), SDK_MAX_WAIT_SECONDS)
            yield seconds
            if quota.bucket.take():
                return True
            self.outcome.throttled[name] += 1
        return False

    # The execution

    def _execute(self, message: Message) -> Process:
        event, began = message.event, self._clock.now
        yield from self._transition()
        for state in self._set.states:
            yield from self._transition()
            succeeded = yield from self._work(state, message)
            in_time = self._clock.now - began < self._set.execution_timeout
            if not in_time or not (succeeded or not state.must_succeed):
                if event not in self._finished:
                    self.outcome.parked.add(event)
                return
            if state.name == "GrantItems":
                self._finished.add(event)
                self.outcome.delays.append(self._clock.now - self._paid[event])

    def _transition(self) -> Process:
        wait = self._transitions.bucket.turn()
        if wait:
            self.outcome.throttled["StateTransition"] += 1
            yield wait

    def _work(self, state: State, message: Message) -> Generator[float, None, bool]:
        """Whether the state succeeded before its retries were used up."""
        for retry in range(state.retries + 1):
            if retry:
                yield self._dice.random() * min(state.interval * state.rate ** (retry - 1), state.max_wait)
                yield from self._transition()
            if (yield from self._attempt(state, message)):
                return True
        return False

    def _attempt(self, state: State, message: Message) -> Generator[float, None, bool]:
        if state.function:
            environment = self._enter(state.function)
            if environment is None:
                return False
            yield self._seconds(environment)
            self._lambda.leave(state.function)
        if message.by_id and state.name == "VerifyEvent" and not self._stripe.take():
            self.outcome.throttled["Stripe"] += 1
            return False
        for noun, units in ASSUMED["write_units"].get(state.name, {}).items():
            if not self._partition(noun).take(units):
                self.outcome.throttled["DynamoDB"] += 1
                return False
        return True

    def _partition(self, noun: str) -> Bucket:
        at = (noun, self._dice.randrange(PARTITIONS))
        if at not in self._partitions:
            units = QUOTAS["dynamodb"]["partition"]["write_units_per_second"]
            self._partitions[at] = Bucket(self._clock, units, units)
        return self._partitions[at]

    # Lambda

    def _enter(self, function: str) -> str | None:
        environment = self._lambda.enter(function)
        if environment is None:
            self.outcome.throttled["Lambda"] += 1
        return environment

    def _cold(self, environment: str) -> float:
        return float(ASSUMED["cold_start_seconds"]) if environment == "cold" else 0.0

    def _seconds(self, environment: str) -> float:
        return self._cold(environment) + float(ASSUMED["function_seconds"])


def simulate(burst: Burst, settings: Settings | None = None, seed: int = 7) -> Outcome:
    return Pipeline(settings or Settings.deployed(), burst, seed).run()


BURSTS = [
    Burst("1,000 a second"),
    Burst("10,000 a second", seconds=10),
    Burst("1,000 a second, 30 % delivered twice", duplicates=0.3),
    Burst("25 a second, every event twice at once", 15_000, 600, duplicates=1.0, again_seconds=0),
    Burst("1,000 a second, others leave a tenth of Step Functions' quotas", left=0.1),
    Burst("1,000 a second, a new account's 10 functions at once", concurrency=NEW_ACCOUNT),
    Burst("one a second, Step Functions refuses for an hour", 3600, 3600, left=0, left_until=3600),
]


def main() -> int:
    outcomes = []
    for one in BURSTS:
        outcomes.append(simulate(one))
        print(f"{one.name}: all granted after {duration(outcomes[-1].delay(1))}", flush=True)
    columns = ["burst", "events", "deepest queue", "p50", "p99", "longest", "delivered again", "throttled"]
    rows = [
        [
            one.burst.name,
            f"{one.burst.events:,}",
            f"{max(one.depth.values()):,}",
            *(duration(one.delay(share)) for share in (0.5, 0.99, 1)),
            f"{one.redelivered:,}",
            ", ".join(f"{name} {times:,}" for name, times in one.throttled.most_common()) or "nothing",
        ]
        for one in outcomes
    ]
    unsound = [one for one in outcomes if not one.is_sound]
    found = f"{len(unsound)} bursts lost or parked events." if unsound else "Nothing was lost or parked."
    text = f"`python -m bench.burst`, quotas as they stood on {QUOTAS['read']}. {found}"
    write(SCALE, "bursts", f"{text}\n\n{table(columns, rows)}")
    write(SCALE, "queue", depths(outcomes[0]))
    for outcome in unsound:
        print(f"{outcome.burst.name}: {outcome.lost} lost, {len(outcome.parked)} parked", file=sys.stderr)
    return 1 if unsound else 0


def depths(outcome: Outcome) -> str:
    minutes = sorted(outcome.depth)
    shown = minutes[:: max(1, len(minutes) // 10)]
    columns = ["minute", *(str(minute) for minute in shown)]
    return table(columns, [["events in the queue", *(f"{outcome.depth[minute]:,}" for minute in shown)]])


def duration(seconds: float) -> str:
    """As people say it: 42 s, 13 min, 2.5 h."""
    if seconds < 120:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


if __name__ == "__main__":
    sys.exit(main())
