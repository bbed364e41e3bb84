"""`make demo` as its audience sees it."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
import requests

from local import demo
from local.names import ROOT
from local.stack import Stack


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def test_the_demo_buys_on_a_stack_of_its_own_and_duplicates_change_nothing() -> None:
    played = subprocess.run(
        [sys.executable, "-m", "local.demo"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (played.returncode, played.stderr) == (0, "")
    told = [line.split(" s  ", 1)[1] for line in played.stdout.splitlines()]
    assert "inventory before: nothing" in told
    assert "pushed into the game: granted, 10 catnip, 200 nyan_coin, 2 red_ribbon" in told
    assert "inventory after:  10 catnip, 200 nyan_coin, 2 red_ribbon" in told
    assert told[-1] == "inventory still:  10 catnip, 200 nyan_coin, 2 red_ribbon"


def test_the_demo_says_what_is_off(
    stack: Stack, http: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(demo.CARD, "card_number", "4000 0000 0000 0002")
    with pytest.raises(demo.OffScript, match="paying was answered with 402"):
        demo.play(stack, http)
