"""Functions as plain processes under SAM CLI: what they answer, and when a process is used again."""

import io
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from samcli.commands.local.cli_common.invoke_context import ContainersMode
from samcli.lib.utils.stream_writer import StreamWriter

from local.sam_processes import ProcessRuntime
from tests.processes import alive, descendants

HANDLER = """
import os, time

def lambda_handler(event, context):
    match event:
        case "sleep":
            time.sleep(60)
        case "crash":
            os._exit(3)
        case "raise":
            raise ValueError("にゃん")
    return {"pid": os.getpid(), "event": event, "name": context.function_name, "home": os.environ["HOME"]}
"""


@dataclass
class Function:
    """What SAM CLI knows of a function, as far as the runtime asks."""

    code_abs_path: str
    full_path: str = "CatFunction"
    handler: str = "app.lambda_handler"
    timeout: int = 30
    layers: list[Any] = field(default_factory=list)

    @property
    def env_vars(self) -> Any:
        calls = str(Path(self.code_abs_path) / "calls.jsonl")
        return SimpleNamespace(resolve=lambda: {"AWS_LAMBDA_FUNCTION_NAME": "cat", "FUNCTION_CALLS": calls})


@pytest.fixture
def function(tmp_path: Path) -> Function:
    (tmp_path / "app.py").write_text(HANDLER)
    return Function(str(tmp_path))


@pytest.fixture(params=[ContainersMode.COLD, ContainersMode.WARM], ids=["cold", "warm"])
def mode(request: pytest.FixtureRequest) -> ContainersMode:
    return request.param


Invoke = Callable[[object], Any]


@pytest.fixture
def invoke(function: Function, mode: ContainersMode, tmp_path: Path) -> Iterator[Invoke]:
    """Call the function; `None` when it answers nothing."""
    before = descendants(os.getpid())
    runtime = ProcessRuntime(tmp_path).of(SimpleNamespace(_containers_mode=mode))

    def answer(event: object) -> Any:
        written = io.StringIO()
        runtime.invoke(function, json.dumps(event), stdout=StreamWriter(written), stderr=None)
        return json.loads(written.getvalue() or "null")

    yield answer
    runtime.clean_running_containers_and_related_resources()
    assert not alive(descendants(os.getpid()) - before)


def test_an_event_passes_as_it_is(invoke: Invoke, tmp_path: Path) -> None:
    event = {"text": "三毛猫 🐈\r\n\u0000", "number": 1.5}
    answered = invoke(event)
    assert (answered["event"], answered["name"], answered["home"]) == (event, "cat", str(tmp_path))


def test_a_warm_process_is_used_again_until_its_code_changes(
    invoke: Invoke, mode: ContainersMode, tmp_path: Path
) -> None:
    first, second = invoke("mew")["pid"], invoke("mew")["pid"]
    assert (first == second) is (mode == ContainersMode.WARM)
    later = time.time() + 10
    os.utime(tmp_path / "app.py", (later, later))
    assert invoke("mew")["pid"] != second


def test_an_error_has_lambdas_words_and_a_crash_too(invoke: Invoke) -> None:
    raised = invoke("raise")
    assert (raised["errorType"], raised["errorMessage"]) == ("ValueError", "にゃん")
    crashed = invoke("crash")
    assert crashed["errorType"] == "Runtime.ExitError"
    assert crashed["errorMessage"].endswith("Error: Runtime exited with 3")
    assert invoke("mew")["event"] == "mew"


def test_a_module_that_cannot_be_imported_is_named(invoke: Invoke, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import no_such_cat")
    assert "no_such_cat" in invoke("mew")["errorMessage"]


def test_a_function_that_takes_too_long_answers_nothing_and_ends(
    invoke: Invoke, function: Function, caplog: pytest.LogCaptureFixture
) -> None:
    function.timeout = 3
    with caplog.at_level("INFO"):
        assert invoke("sleep") is None
    assert "Function 'CatFunction' timed out after 3 seconds" in caplog.text
