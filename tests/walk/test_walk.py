"""The walk finds nothing in what is shipped, finds what is planted, and can be walked again."""

import secrets
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from nyanko.adapters import dynamodb_grants
from tests.template import ROOT
from tests.walk.steps import plan
from tests.walk.walk import part, shrink, walk, walk_on

MINUTE = 60.0
SEEDS = range(1, 400)
PLANTED = yaml.safe_load((Path(__file__).parent / "planted.yaml").read_text())


def test_a_minute_of_walks_finds_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """From another seed each time; `make walk SEED=…` walks again what is found."""
    with capsys.disabled():
        walked = walk_on(secrets.randbelow(10**9), MINUTE, lambda text: print(f"\n{text}", end=""))
    assert walked.violation is None, f"make walk SEED={walked.seed}"


def test_the_same_seed_is_the_same_walk_in_another_process() -> None:
    here = walk(plan(7))
    told = subprocess.run(
        [sys.executable, "-m", "tests.walk", "--seed", "7", "--steps", ",".join(map(str, range(1, 321)))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert f"schedule {here.schedule:08x}" in told
    assert here.schedule != walk(plan(8)).schedule


def test_a_lost_condition_is_found_and_shortened_to_a_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        dynamodb_grants, "VERSION_IS_UNCHANGED", "attribute_exists(version) OR version = :version"
    )
    found = next(one for seed in SEEDS if (one := walk(plan(seed))).violation)
    short = shrink(plan(found.seed), lambda fewer: walk(fewer).violation is not None)
    assert len(short.steps) <= 20
    again = part(plan(found.seed), {step.number for step in short.steps})
    assert walk(again).violation == walk(short).violation


@pytest.mark.parametrize("fault", PLANTED, ids=lambda fault: fault["fault"])
def test_a_planted_fault_has_its_line_in_the_code(fault: dict[str, str]) -> None:
    source = (ROOT / fault["file"]).read_text()
    assert source.count(fault["now"]) == 1
