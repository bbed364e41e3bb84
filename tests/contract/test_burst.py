"""A burst within the documented quotas ends with every payment granted: none is lost, none is parked."""

from dataclasses import replace

import pytest

from bench import burst
from bench.burst import BURSTS, QUOTAS, Burst, Settings, simulate
from tests import template
from tests.template import ROOT

DEPLOYED = Settings.deployed()
HASTY = replace(
    DEPLOYED,
    webhook_rate=500,
    webhook_burst=1000,
    maximum_concurrency=10,
    visibility_timeout=90,
    max_receives=5,
    function_timeout=15,
    message_seconds=0,
    attempts=3,
    execution_timeout=3600,
    asks_the_row=False,
    states=[replace(state, retries=min(state.retries, 8), max_wait=60) for state in DEPLOYED.states],
)
"""More at once and less patience: what was deployed before anybody simulated it."""


def smaller(one: Burst) -> Burst:
    """A fifth of the burst at the same rate."""
    return replace(one, events=one.events // 5, seconds=one.seconds / 5)


@pytest.mark.parametrize("one", BURSTS, ids=lambda one: one.name)
def test_a_burst_ends_with_every_payment_granted(one: Burst) -> None:
    outcome = simulate(smaller(one))
    assert (outcome.lost, len(outcome.parked)) == (0, 0)
    assert outcome.is_sound
    assert len(outcome.delays) == smaller(one).events


def test_a_burst_meets_the_limits_that_it_is_meant_to_meet() -> None:
    """Nothing would be shown by bursts that nobody throttles."""
    throttled = {limit for one in BURSTS for limit in simulate(smaller(one)).throttled}
    assert {"API Gateway", "Lambda", "StartExecution", "StateTransition", "Stripe"} <= throttled


def test_hasty_settings_park_payments_while_step_functions_refuses() -> None:
    (refused,) = [one for one in BURSTS if one.left == 0]
    outcome = simulate(refused, HASTY)
    assert len(outcome.parked) > outcome.burst.events / 2
    assert not outcome.is_sound


def test_hasty_settings_let_duplicates_hold_up_new_payments() -> None:
    (duplicated,) = [one for one in BURSTS if 0 < one.duplicates < 1]
    outcome = simulate(smaller(duplicated), HASTY)
    assert outcome.throttled["DescribeExecution"] > 1000
    assert simulate(smaller(duplicated)).throttled["DescribeExecution"] == 0


def test_every_event_twice_at_once_rings_neither_the_age_of_the_queue_nor_what_is_not_started() -> None:
    """Two endpoints of one URL deliver everything twice: Stripe's own way to another version of its API."""
    (twice,) = [one for one in BURSTS if one.duplicates == 1]
    outcome = simulate(smaller(twice))
    alarms = dict(template.each("AWS::CloudWatch::Alarm"))
    assert outcome.not_started == 0
    assert 0 < outcome.oldest_seconds < alarms["QueueAgeAlarm"]["Threshold"]
    assert outcome.delay(1) < 60


def test_executions_wait_in_the_queue_and_not_inside_the_workflow() -> None:
    one = smaller(BURSTS[0])
    assert simulate(one).throttled["StateTransition"] == 0
    assert simulate(one, HASTY).throttled["StateTransition"] > one.events


def test_the_same_dice_end_in_the_same_way() -> None:
    one = replace(BURSTS[0], events=500, seconds=1, duplicates=0.3)
    assert simulate(one, seed=1).delays == simulate(one, seed=1).delays


def test_a_burst_that_loses_or_parks_something_fails_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(burst, "BURSTS", [replace(BURSTS[0], events=50, seconds=1)])
    monkeypatch.setattr(burst, "write", lambda *_: None)
    assert burst.main() == 0
    never = Burst("nobody may start anything for weeks", events=50, seconds=1, left=0, left_until=1e6)
    monkeypatch.setattr(burst, "BURSTS", [never])
    assert burst.main() == 1
    assert "50 parked" in capsys.readouterr().err


def test_the_quotas_are_dated_and_name_where_they_stand() -> None:
    assert QUOTAS["read"]
    text = (ROOT / "bench" / "quotas.yaml").read_text()
    assert text.count("https://docs.aws.amazon.com/") >= 8
    assert text.count("https://docs.stripe.com/") >= 2
