"""samconfig.toml makes the plain `sam local` commands read what `make run` writes."""

import importlib
import tomllib
from pathlib import Path
from typing import Any

import boto3
import pytest

from local import bridge
from local.names import STAGE
from local.stack import Stack
from tests import template
from tests.template import ROOT

COMMANDS = ("invoke", "start-api", "start-lambda")
CONFIG = tomllib.loads((ROOT / "samconfig.toml").read_text())


def parameters(command: str) -> dict[str, Any]:
    found: dict[str, Any] = CONFIG["default"][f"local_{command.replace('-', '_')}"]["parameters"]
    return found


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_told_of_what_the_stack_writes(stack: Stack, command: str) -> None:
    for name in ("template_file", "env_vars"):
        named = Path(parameters(command)[name])
        assert named.parts[0] == ".local"
        assert (stack.directory / named.relative_to(".local")).is_file()
    assert parameters(command)["add_host"] == f"{bridge.HOST}:host-gateway"


@pytest.mark.parametrize("command", COMMANDS)
def test_sam_cli_knows_each_parameter(command: str) -> None:
    """It passes over one that it does not know."""
    module = importlib.import_module(f"samcli.commands.local.{command.replace('-', '_')}.cli")
    assert parameters(command).keys() <= {option.name for option in module.cli.params}


@pytest.mark.parametrize("command", COMMANDS)
def test_sam_cli_itself_has_no_aws_to_ask(command: str) -> None:
    assert parameters(command)["region"] not in boto3.Session().get_available_regions("sts")


def test_without_a_stage_everything_is_named_as_on_the_local_stack() -> None:
    assert template.SOURCE["Parameters"]["Stage"]["Default"] == STAGE
    for stage in ("stg", "prod"):
        assert CONFIG[stage]["deploy"]["parameters"]["parameter_overrides"] == f"Stage={stage}"
