"""Dependencies point inward: functions know the domain, adapters speak to the world, the domain knows nobody.

`wiring.py` is the composition root: the one reader of the environment and the one builder of clients.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sources import ADAPTERS, CORE, DOMAIN, FUNCTIONS, SHIPPED, imports, is_domain, is_standard, module
from tests.template import ROOT


def test_there_is_something_to_look_at() -> None:
    assert len(DOMAIN) > 10
    assert len(ADAPTERS) > 10
    assert len(FUNCTIONS) > 8


@pytest.mark.parametrize("path", DOMAIN, ids=module)
def test_the_domain_imports_the_standard_library_and_itself(path: Path) -> None:
    assert [name for name in imports(path) if not is_standard(name) and not is_domain(name)] == []


@pytest.mark.parametrize("path", ADAPTERS, ids=module)
def test_an_adapter_does_not_know_who_wires_it(path: Path) -> None:
    assert "nyanko.wiring" not in set(imports(path))


@pytest.mark.parametrize("path", FUNCTIONS, ids=module)
def test_a_function_speaks_to_the_world_through_wiring_alone(path: Path) -> None:
    named = set(imports(path))
    assert not [name for name in named if name.startswith(("nyanko.adapters", "boto3", "botocore", "stripe"))]


@pytest.mark.parametrize("path", SHIPPED, ids=module)
def test_only_wiring_reads_the_environment(path: Path) -> None:
    tree = ast.parse(path.read_text())
    read = {"environ", "environb", "getenv", "getenvb", "putenv"}
    named = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "os"
        for alias in node.names
    }
    assert not (named | imported) & read


@pytest.mark.parametrize("path", [*SHIPPED, CORE / "wiring.py"], ids=module)
def test_shipped_code_does_not_know_where_it_runs(path: Path) -> None:
    """Stand-ins and engines are reached by URL; code that asks where it is runs untested elsewhere."""
    text = path.read_text()
    assert "sys.path" not in text
    assert '"local"' not in text
    assert "localhost" not in text
    assert "127.0.0.1" not in text


def test_nothing_takes_what_it_needs_out_of_a_test_module() -> None:
    """What tests share is in a module of its own, whose name says what it is."""
    taken = [
        f"{module(path)}: {name}"
        for folder in ("tests", "bench", "local", "ops")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for name in named(path)
        if any(part.startswith("test_") for part in name.split("."))
    ]
    assert taken == []


def named(path: Path) -> Iterator[str]:
    """Each module that a file imports, with the name that it takes out of it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
