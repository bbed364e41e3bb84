"""docs/runbook.md has a section for everything that can ring or be parked, and commands that exist."""

import re
from typing import Any, get_args

import pytest
import typer

from nyanko.errors import PermanentCode, RetryableCode
from nyanko.executions import FAILED
from tests import template
from tests.commands import NYANKO, parse, words
from tests.template import ROOT

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
COMMANDS = re.findall(r"^ +(nyanko .*)$", RUNBOOK, re.MULTILINE)
ALARMS, _, REASONS = RUNBOOK.partition("# Alarms\n")[2].partition("# Reasons for parking\n")

# Typer brings its own copy of click and shows of it this one child of the error that a wrong line raises.
UsageError: Any = typer.BadParameter.__base__


def sections(text: str) -> dict[str, str]:
    """What stands under each heading that is a name."""
    text = re.split(r"^# ", text, flags=re.MULTILINE)[0]
    parts = re.split(r"^### `([^`]+)`\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def alarms() -> set[str]:
    prefix = f"{template.STAGE}_jm_nyanko_"
    named = [template.resolved(alarm["AlarmName"]) for _, alarm in template.each("AWS::CloudWatch::Alarm")]
    assert all(name.startswith(prefix) for name in named)
    return {name.removeprefix(prefix) for name in named}


def test_every_alarm_has_a_section_and_no_other_has() -> None:
    assert set(sections(ALARMS)) == alarms()


def test_every_reason_has_a_section() -> None:
    ours = {*get_args(PermanentCode), *get_args(RetryableCode)}
    outside = FAILED - {"FAILED"}
    assert set(sections(REASONS)) == ours | outside


@pytest.mark.parametrize("section", [*sections(ALARMS).values()], ids=[*sections(ALARMS)])
def test_an_alarm_says_what_it_means_how_to_see_it_and_what_to_do(section: str) -> None:
    for heading in ("**Means.**", "**See.**", "**Do.**"):
        assert heading in section


def test_there_are_commands_to_look_at() -> None:
    assert len(COMMANDS) > 50


@pytest.mark.parametrize("command", sorted(set(COMMANDS)))
def test_every_command_parses(command: str) -> None:
    parse(NYANKO, words(command))


@pytest.mark.parametrize(
    "command",
    ["nyanko --stage prod replays", "nyanko --stage prod dlq purge", "nyanko --stage prod parked --all"],
)
def test_a_command_that_does_not_exist_is_noticed(command: str) -> None:
    with pytest.raises(UsageError):
        parse(NYANKO, words(command))


def test_every_alarm_tells_the_topic_when_it_rings_and_when_it_ends() -> None:
    for logical_id, alarm in template.each("AWS::CloudWatch::Alarm"):
        told: list[Any] = [alarm["AlarmActions"], alarm["OKActions"]]
        assert told == [[{"Ref": "Alarms"}]] * 2, logical_id


def test_the_dashboard_shows_every_alarm() -> None:
    [(_, dashboard)] = template.each("AWS::CloudWatch::Dashboard")
    body = dashboard["DashboardBody"]["Fn::Sub"]
    shown = set(re.findall(r"\$\{(\w+)\.Arn\}", body))
    assert shown == {logical_id for logical_id, _ in template.each("AWS::CloudWatch::Alarm")}
