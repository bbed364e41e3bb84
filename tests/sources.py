"""The Python sources that are shipped, and what each of them imports."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.template import ROOT

CORE = ROOT / "layers" / "core" / "nyanko"
DOMAIN = sorted(CORE.glob("*.py"))
ADAPTERS = sorted(CORE.glob("adapters/*.py"))
USE_CASES = sorted(CORE.glob("use_cases/*.py"))
COMPOSITION = sorted(CORE.glob("composition/*.py"))
FUNCTIONS = sorted((ROOT / "functions").glob("*/app.py"))
OPS = sorted((ROOT / "ops").rglob("*.py"))
SHIPPED = [*DOMAIN, *ADAPTERS, *USE_CASES, *COMPOSITION, *FUNCTIONS]


def module(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[str]:
    """The modules that a file imports; of `nyanko` with the name: `nyanko.errors`, `nyanko.facts`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module(path)}: relative imports break when a file moves"
            if node.module == "nyanko":
                yield from (f"nyanko.{alias.name}" for alias in node.names)
            else:
                yield node.module or ""


def is_domain(name: str) -> bool:
    return name.startswith("nyanko.") and floor(name) == ""


def floor(name: str) -> str:
    """The package of `nyanko` that a module is in; "" for the pure modules."""
    package = name.split(".")[1]
    return package if package in {"adapters", "use_cases", "composition"} else ""


def is_standard(name: str) -> bool:
    return name.partition(".")[0] in sys.stdlib_module_names
