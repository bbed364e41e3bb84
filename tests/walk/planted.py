"""`make planted`: put each fault of planted.yaml into a copy of the project, and expect the walk to find it.

A fault that is not found within its time, or whose line does not stand in the code exactly once, ends the run
with 1. Name parts of faults to try only those.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from tests.template import ROOT
from tests.walk.__main__ import VIOLATION
from tests.walk.oracle import UNEXPECTED

COPIED = ("events", "functions", "layers", "local", "statemachines", "terraform/modules/data", "tests")
FILES = ("template.yaml", "pyproject.toml")
SEED = 1
SECONDS = 300


def main(wanted: list[str]) -> int:
    planted = yaml.safe_load((Path(__file__).parent / "planted.yaml").read_text())
    chosen = [one for one in planted if not wanted or any(part in one["fault"] for part in wanted)]
    found = 0
    for number, fault in enumerate(chosen, start=1):
        started = time.monotonic()
        verdict = _try(fault)
        found += verdict.startswith("found")
        seconds = time.monotonic() - started
        print(f"[{number}/{len(chosen)}] {seconds:5.1f} s: {fault['fault']}: {verdict}", flush=True)
    print(f"{found} of {len(chosen)} planted faults found")
    return 0 if chosen and found == len(chosen) else 1


def _try(fault: dict[str, str]) -> str:
    source = (ROOT / fault["file"]).read_text()
    if (standing := source.count(fault["now"])) != 1:
        return f"stands {standing} times in the code"
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in COPIED:
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in FILES:
            shutil.copy(ROOT / name, copy / name)
        (copy / fault["file"]).write_text(source.replace(fault["now"], fault["then"], 1))
        # The copy's modules must win over the checkout that is installed in this environment.
        path = os.pathsep.join([str(copy), str(copy / "layers" / "core")])
        walked = subprocess.run(
            [sys.executable, "-m", "tests.walk", "--seed", str(SEED), "--seconds", str(SECONDS), "--long"],
            cwd=copy,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
    if walked.returncode == 0:
        return "NOT FOUND"
    found = walked.stdout.partition(f"{VIOLATION}, ")[2].strip()
    # What only breaks a program proves nothing of the oracle.
    is_found = found and UNEXPECTED not in found
    return f"found, {found}" if is_found else f"BROKEN: {found or walked.stderr[-500:]}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
