"""`make mutation`: cosmic-ray changes the domain in one place at a time and expects the unit tests to fail.

It writes each mutant over the module, and so works on a copy. What mutation.yaml does not allow ends the run
with 1: a score below a module's floor, a survivor that is not listed, a listed one that is dead.
Name modules to try only those.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import yaml
from hypothesis import Phase, settings

ROOT = Path(__file__).parent.parent
TOOL = ROOT / ".venv-mutation" / "bin"
COPIED = ("layers", "tests", "events")
WORKERS = 2
TIMEOUT_SECONDS = 60
CONFIG: dict[str, Any] = yaml.safe_load((ROOT / "tests" / "mutation.yaml").read_text())
PYTEST = [sys.executable, "-m", "pytest", "-qx", "--noconftest"]
PYTEST += ["-p", "no:cacheprovider", "-p", "pytest_timeout", "-p", "tests.mutation"]
settings.register_profile(
    "mutation", derandomize=True, database=None, deadline=None, phases=[Phase.explicit, Phase.generate]
)


def pytest_configure() -> None:
    """Draw the same examples for every mutant and shrink none: pytest loads this module as a plugin."""
    settings.load_profile("mutation")


def try_mutants(module: str) -> tuple[int, list[tuple[str, str]]]:
    """How many mutants of a module there are, and the survivors: what stands there, and what instead."""
    tests = [f"tests/unit/test_{name}.py" for name in CONFIG["modules"][module]["tests"].split()]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in COPIED:
            shutil.copytree(ROOT / name, copy / name)
        shutil.copy(ROOT / "pyproject.toml", copy)
        (copy / "config").write_text(
            f'cosmic-ray.module-path = "layers/core/nyanko/{module}.py"\n'
            f"cosmic-ray.test-command = {json.dumps(shlex.join([*PYTEST, *tests]))}\n"
            f"cosmic-ray.timeout = {TIMEOUT_SECONDS}.0\n"
            f'cosmic-ray.distributor.name = "local"\n'
            f"cosmic-ray.filters.operators-filter.exclude-operators = {json.dumps(CONFIG['left_out'])}\n"
        )
        _run(copy, *PYTEST, *tests)
        _run(copy, TOOL / "cosmic-ray", "init", "config", "session")
        _run(copy, TOOL / "cr-filter-operators", "session", "config")
        _run(copy, TOOL / "cosmic-ray", "exec", "config", "session")
        dumped = _run(copy, TOOL / "cosmic-ray", "dump", "session").splitlines()
    results = [result for _, result in map(json.loads, dumped) if result["worker_outcome"] != "skipped"]
    survivors = [_mutant(one["diff"] or "") for one in results if one["test_outcome"] != "killed"]
    return len(results), survivors


def _run(folder: Path, *command: str | Path) -> str:
    # The copy's modules must win over the checkout that is installed in this environment.
    path = os.pathsep.join([str(folder), str(folder / "layers" / "core")])
    env = {**os.environ, "PYTHONPATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{shlex.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def _mutant(diff: str) -> tuple[str, str]:
    lines = diff.splitlines()[3:]
    now, then = ([line[1:].strip() for line in lines if line.startswith(sign)] for sign in "-+")
    return " ".join(now), " ".join(then)


def main(wanted: list[str]) -> int:
    is_fine = True
    with ThreadPoolExecutor(WORKERS) as pool:
        running = {pool.submit(try_mutants, module): module for module in wanted or CONFIG["modules"]}
        for one in as_completed(running):
            module, (tried, survivors) = running[one], one.result()
            listed = {(known["now"], then) for known in CONFIG["survivors"][module] for then in known["then"]}
            percent = 100 * (1 - len(survivors) / tried)
            print(f"{module}: {percent:.1f} % of {tried} mutants killed", flush=True)
            for now, then in sorted(listed ^ set(survivors)):
                verdict = "is listed and dead" if (now, then) in listed else "survives"
                print(f"  {verdict}:\n    - {now}\n    + {then}")
            is_fine &= percent >= CONFIG["modules"][module]["floor"] and listed == set(survivors)
    return 0 if is_fine else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
