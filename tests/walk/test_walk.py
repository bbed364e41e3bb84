"""The walk finds nothing in what is shipped, finds what is planted, and can be walked again."""

import secrets
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from nyanko.adapters import dynamodb_grants
from tests.template import ROOT
from tests.walk.__main__ import main
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


@pytest.mark.parametrize("seed", [3, 7, 8])
def test_the_same_seed_is_the_same_walk_in_another_process(seed: int) -> None:
    here, steps = walk(plan(seed)), ",".join(str(step.number) for step in plan(seed).steps)
    told = subprocess.run(
        [sys.executable, "-m", "tests.walk", "--seed", str(seed), "--steps", steps],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert f"schedule {here.schedule:08x}" in told
    assert here.schedule != walk(plan(seed + 1)).schedule


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--seed", "-3"], "'-3' is not a whole number"),
        (["--seed", "5", "--steps", "a,b"], "'a' is not a whole number"),
        (["--seed", "5", "--steps", "99999"], "there is no 99999"),
        (["--seed", "5", "--steps", "0"], "there is no 0"),
        (["--steps", "3,4"], "name its SEED"),
        (["--seconds", "0"], "at least one second"),
        (["--seconds", "nan"], "'nan' is not a whole number"),
    ],
)
def test_what_cannot_be_walked_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], given: list[str], said: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["walk", *given])
    with pytest.raises(SystemExit) as refused:
        main()
    assert refused.value.code == 2
    assert said in capsys.readouterr().err


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
