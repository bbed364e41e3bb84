"""docs/stripe-events.md tells all that can come in and all that can become of it."""

import re
from typing import get_args

from nyanko.errors import PermanentCode, RetryableCode
from nyanko.readings import READERS
from nyanko.stripe_events import API_VERSION, HANDLED_EVENTS
from tests.template import ROOT

EVENTS, REASONS = (ROOT / "docs" / "stripe-events.md").read_text().split("## Why an event is parked")


def first_column(text: str) -> set[str]:
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])}


def test_the_handled_events_are_those_of_the_documentation() -> None:
    assert first_column(EVENTS) == HANDLED_EVENTS
    assert f"`{API_VERSION}`" in EVENTS


def test_each_handled_event_has_a_reader_and_no_other_has() -> None:
    assert READERS.keys() == HANDLED_EVENTS


def test_every_reason_of_ours_for_parking_is_explained() -> None:
    ours = {reason for reason in first_column(REASONS) if "." not in reason}
    assert ours == {*get_args(PermanentCode), *get_args(RetryableCode)}
