"""`make mutants`: puts each fault of mutants.yaml into a copy of the project, and expects tests to fail.

A fault that no test notices, or whose line does not stand in the code exactly once, ends the run with 1.
Name parts of faults to try only those.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent
COPIED = (
    "bench",
    "events",
    "functions",
    "layers",
    "local",
    "ops",
    "statemachines",
    "terraform",
    "tests",
    "docs",
    "web",
)
FILES = ("template.yaml", "pyproject.toml", "samconfig.toml", "Makefile", "README.md", "requirements.txt")
TIMEOUT_SECONDS = 900


def main(wanted: list[str]) -> int:
    mutants = yaml.safe_load((ROOT / "tests" / "mutants.yaml").read_text())
    chosen = [one for one in mutants if not wanted or any(part in one["fault"] for part in wanted)]
    used = sorted({path for one in chosen for path in one["tests"].split()})
    print(f"without a fault: {' '.join(used)}", flush=True)
    if (code := _run_tests(used, fault=None)) != 0:
        print(f"the tests fail without a fault (exit {code}), so they would prove nothing")
        return 1
    caught = 0
    for number, mutant in enumerate(chosen, start=1):
        started = time.monotonic()
        verdict = _try(mutant)
        caught += verdict == "caught"
        seconds = time.monotonic() - started
        print(f"[{number}/{len(chosen)}] {verdict:>8} in {seconds:5.1f} s: {mutant['fault']}", flush=True)
    print(f"{caught} of {len(chosen)} mutants caught")
    return 0 if chosen and caught == len(chosen) else 1


def _try(mutant: dict[str, str]) -> str:
    source = (ROOT / mutant["file"]).read_text()
    if (standing := source.count(mutant["now"])) != 1:
        return "ambiguous" if standing else "outdated"
    if mutant["file"].endswith(".py"):
        compile(_faulty(source, mutant), mutant["file"], "exec")
    code = _run_tests(mutant["tests"].split(), fault=mutant)
    # 1 is "tests failed"; anything else but 0 says that they could not run, which catches nothing.
    return {0: "SURVIVED", 1: "caught"}.get(code, f"exit {code}")


def _faulty(source: str, mutant: dict[str, str]) -> str:
    return source.replace(mutant["now"], mutant["then"], 1)


def _run_tests(paths: list[str], fault: dict[str, str] | None) -> int:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in COPIED:
            shutil.copytree(
                ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", ".terraform")
            )
        for name in FILES:
            shutil.copy(ROOT / name, copy / name)
        if fault is not None:
            source = copy / fault["file"]
            source.write_text(_faulty(source.read_text(), fault))
        # The copy's modules must win over the checkout that is installed in this environment.
        path = os.pathsep.join([str(copy), str(copy / "layers" / "core")])
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *paths],
            cwd=copy,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
