"""`sam local` without Docker: SAM CLI's own routes, authorizers, events and answers, on plain processes.

Two attributes of SAM CLI's `InvokeContext` are replaced. They are private names, so `install` looks for them
first, and tests/sam runs every command on the pinned version. What containers have and processes do not:
/var/task and /opt, a read-only code folder, a memory limit, and Python 3.13.
"""

import logging
import os
import sys
import threading
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from samcli import __version__
from samcli.cli.main import cli
from samcli.commands.local.cli_common.invoke_context import ContainersMode, InvokeContext

from local import bridge
from local.process import INHERITED, StartError
from local.runtime_api import FunctionProcess
from local.sam import LOOPBACK, PACKAGES

REPLACED = ("_get_container_manager", "lambda_runtime")

logger = logging.getLogger("samcli.local.lambdafn.runtime")
"""SAM CLI's own, which it has set up to be seen."""


def main() -> None:
    """`python -m local.sam_processes DIRECTORY …` is `sam …` beside the stack in that directory."""
    try:
        install(Path(sys.argv[1]))
    except StartError as error:
        sys.exit(str(error))
    cli(sys.argv[2:], prog_name="sam")


def install(directory: Path) -> None:
    """Have SAM CLI run functions as processes of this machine, their files in the stack's folder."""
    moved = [name for name in REPLACED if name not in vars(InvokeContext)]
    if moved:
        raise StartError(
            f"SAM CLI {__version__} has no InvokeContext.{moved[0]} any more, by whose place functions run "
            f"without Docker. Install the SAM CLI that requirements.txt pins, or start Docker."
        )
    runtime = ProcessRuntime(directory)
    InvokeContext._get_container_manager = staticmethod(lambda *_: None)  # noqa: SLF001
    InvokeContext.lambda_runtime = property(runtime.of)


class ProcessRuntime:
    """What SAM CLI asks of its `LambdaRuntime`.

    With `--warm-containers` a process is kept for the next event until its code changes; a second event at
    the same time gets a process of its own, as on Lambda.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._is_warm = False
        self._idle: defaultdict[str, list[tuple[float, FunctionProcess]]] = defaultdict(list)
        self._taking = threading.Lock()

    def of(self, context: Any) -> "ProcessRuntime":  # noqa: ANN401 SAM CLI has no types
        self._is_warm = context._containers_mode == ContainersMode.WARM  # noqa: SLF001
        return self

    def invoke(self, function_config: Any, event: str, *_: object, stdout: Any, **__: object) -> None:  # noqa: ANN401
        """Write the function's answer to `stdout`; nothing when it takes longer than it may."""
        code = _code(function_config)
        changed = max(path.stat().st_mtime for folder in code for path in folder.rglob("*.py"))
        process = self._taken(function_config.full_path, changed) or FunctionProcess(
            function_config.handler, code[0], self._environment(function_config, code)
        )
        keeps = False
        try:
            answer = process.invoke(event, function_config.timeout)
            stdout.write_str(answer.decode())
            stdout.flush()
            keeps = self._is_warm and process.is_alive()
        except TimeoutError:
            logger.info(
                "Function '%s' timed out after %d seconds", function_config.full_path, function_config.timeout
            )
        finally:
            if keeps:
                with self._taking:
                    self._idle[function_config.full_path].append((changed, process))
            else:
                process.end()

    def clean_running_containers_and_related_resources(self) -> None:
        with self._taking:
            for _, process in (kept for processes in self._idle.values() for kept in processes):
                process.end()
            self._idle.clear()

    def _taken(self, function: str, changed: float) -> FunctionProcess | None:
        with self._taking:
            while self._idle[function]:
                since, process = self._idle[function].pop()
                if since == changed and process.is_alive():
                    return process
                process.end()
        return None

    def _environment(self, function_config: Any, code: list[Path]) -> Mapping[str, str]:  # noqa: ANN401
        """What env.json says, the machine called by its own name."""
        told = {
            name: value.replace(bridge.HOST, LOOPBACK)
            for name, value in function_config.env_vars.resolve().items()
        }
        return {
            **{name: os.environ[name] for name in INHERITED if name in os.environ},
            "HOME": str(self._directory),
            "TMPDIR": str(self._directory / "tmp"),
            "PYTHONPATH": os.pathsep.join(map(str, code)),
            "_HANDLER": function_config.handler,
            **told,
        }


def _code(function_config: Any) -> list[Path]:  # noqa: ANN401
    """The folders of the function's modules; packages are those of this environment, as on the stack."""
    layers = [Path(layer.codeuri) for layer in function_config.layers]
    ours = [(layer / "python").resolve() for layer in layers if layer != PACKAGES]
    return [Path(function_config.code_abs_path), *ours]


if __name__ == "__main__":
    main()
