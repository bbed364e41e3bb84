"""What is deployed, made for this machine's processor, and a Python 3.13 with boto3 to run it, as Lambda has.

All of it is under `.local/bench`. What Lambda's runtime brings along is compiled, as the standard library is.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

from local.names import ROOT
from local.sam import for_this_machine
from tests.sam.base_image import python
from tests.template import functions

FOLDER = ROOT / ".local" / "bench"
PINS = ROOT / "requirements.txt"
SAM, UV = (Path(sys.executable).with_name(name) for name in ("sam", "uv"))
USUAL_PACKAGES = (
    *("aws-xray-sdk", "wrapt"),
    *("pydantic", "pydantic-core", "annotated-types", "typing-extensions", "typing-inspection"),
)
"""Without botocore, which X-Ray's SDK would bring along: Lambda has it, compiled."""

USUAL = Path(__file__).with_name("usual_webhook.py")


TRACED = {"LAMBDA_TASK_ROOT": "/var/task", "_X_AMZN_TRACE_ID": f"Root=1-5759e988-{'0' * 24};Sampled=1"}
"""What makes the X-Ray SDK believe that it is in Lambda."""

RUNTIME = FOLDER / "runtime" / "bin" / "python"
SHIPPED, PLAIN = FOLDER / "shipped", FOLDER / "plain"


def path(folder: str, *, bytecode: bool = True) -> str:
    """Where a function finds its modules, in Lambda's order: as deployed, or as `sam build` leaves them."""
    built = SHIPPED if bytecode else PLAIN
    return os.pathsep.join(map(str, [built / functions()[folder].logical_id, *_layers(built)]))


def usual_path() -> str:
    """The same for the usual way to write the webhook, without bytecode."""
    return os.pathsep.join(map(str, [FOLDER / "usual", FOLDER / "usual_packages", *_layers(PLAIN)]))


def _layers(built: Path) -> list[Path]:
    return [built / layer / "python" for layer in ("CoreLayer", "DependenciesLayer")]


def packaged() -> None:
    """Build everything anew; ends the program with a reason where it cannot be built."""
    interpreter = python()
    if interpreter is None:
        sys.exit(
            "functions run on Python 3.13, which is not installed here: nothing that counts can be measured"
        )
    FOLDER.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        "PATH": f"{interpreter.parent}:{os.environ['PATH']}",
        "SAM_CLI_TELEMETRY": "0",
    }

    _say("building functions and layers for this machine")
    template = FOLDER / "template.json"
    template.write_text(json.dumps(for_this_machine(yaml_parse((ROOT / "template.yaml").read_text()))))
    cache: list[str | Path] = ["--cached", "--cache-dir", FOLDER / "cache"]
    _run([SAM, "build", "--template", template, "--build-dir", PLAIN, *cache], environment)
    shutil.rmtree(SHIPPED, ignore_errors=True)
    shutil.copytree(PLAIN, SHIPPED)
    _run(["make", "--directory", ROOT, "bytecode", f"BUILT={SHIPPED}"], environment)

    _say("installing what Lambda's runtime has")
    _run([UV, "venv", "--quiet", "--clear", "--python", interpreter, FOLDER / "runtime"], environment)
    pip: list[str | Path] = [UV, "pip", "install", "--quiet", "--python", RUNTIME, "--constraint", PINS]
    _run([*pip, "--compile-bytecode", "boto3"], environment)
    shutil.rmtree(FOLDER / "usual_packages", ignore_errors=True)
    _run([*pip, "--no-deps", "--target", FOLDER / "usual_packages", *USUAL_PACKAGES], environment)
    (FOLDER / "usual").mkdir(exist_ok=True)
    shutil.copy(USUAL, FOLDER / "usual" / "app.py")


def _say(step: str) -> None:
    print(step, "…", flush=True)


def _run(command: Sequence[str | Path], environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        [str(part) for part in command], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{command[0]} failed: {done.stdout}{done.stderr}")
