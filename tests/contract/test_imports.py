"""Dependencies point down: functions and commands call use cases, which take adapters; all know the nouns.

    functions ─┐                  ┌─► use_cases ──► nouns
               ├─► composition ───┤                   ▲
    ops ───────┘                  └─► adapters ───────┘

`composition` is the one reader of a function's environment and the one builder of clients. A use case names
adapters in its types alone.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sources import (
    ADAPTERS,
    COMPOSITION,
    DOMAIN,
    FUNCTIONS,
    OPS,
    SHIPPED,
    USE_CASES,
    floor,
    imports,
    is_domain,
    is_standard,
    module,
)
from tests.template import ROOT

FOREIGN = ("boto3", "botocore", "stripe", "urllib3", "jose")


def is_ours(name: str) -> bool:
    return name.startswith("nyanko.")


def imported_when_run(path: Path) -> set[str]:
    """Without what is imported for types alone."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = []
    return {name for node in ast.walk(tree) for name in imported_by(node)}


def imported_by(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield from (
            (f"nyanko.{alias.name}" for alias in node.names) if node.module == "nyanko" else (node.module,)
        )


def test_there_is_something_to_look_at() -> None:
    assert len(DOMAIN) > 10
    assert len(ADAPTERS) > 10
    assert len(USE_CASES) > 10
    assert len(COMPOSITION) > 5
    assert len(FUNCTIONS) > 8


@pytest.mark.parametrize("path", DOMAIN, ids=module)
def test_the_domain_imports_the_standard_library_and_itself(path: Path) -> None:
    assert [name for name in imports(path) if not is_standard(name) and not is_domain(name)] == []


@pytest.mark.parametrize("path", ADAPTERS, ids=module)
def test_an_adapter_knows_nouns_and_adapters_alone(path: Path) -> None:
    assert {floor(name) for name in imports(path) if is_ours(name)} <= {"", "adapters"}


@pytest.mark.parametrize("path", USE_CASES, ids=module)
def test_a_use_case_knows_adapters_by_their_types_alone(path: Path) -> None:
    assert {floor(name) for name in imports(path) if is_ours(name)} <= {"", "adapters", "use_cases"}
    run = imported_when_run(path)
    assert {floor(name) for name in run if is_ours(name)} <= {"", "use_cases"}
    assert [name for name in run if not is_ours(name) and not is_standard(name)] == []


@pytest.mark.parametrize("path", COMPOSITION, ids=module)
def test_the_composition_root_decides_nothing(path: Path) -> None:
    assert {floor(name) for name in imports(path) if is_ours(name)} <= {"", "adapters", "composition"}


@pytest.mark.parametrize("path", FUNCTIONS, ids=module)
def test_a_function_speaks_to_the_world_through_the_composition_root_alone(path: Path) -> None:
    run = imported_when_run(path)
    assert not [name for name in run if name.startswith(("nyanko.adapters", *FOREIGN))]


@pytest.mark.parametrize("path", sorted(set(SHIPPED) - set(COMPOSITION)), ids=module)
def test_only_the_composition_root_reads_the_environment(path: Path) -> None:
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


@pytest.mark.parametrize("path", SHIPPED, ids=module)
def test_shipped_code_does_not_know_where_it_runs(path: Path) -> None:
    """Stand-ins and engines are reached by URL; code that asks where it is runs untested elsewhere."""
    text = path.read_text()
    assert "sys.path" not in text
    assert '"local"' not in text
    assert "localhost" not in text
    assert "127.0.0.1" not in text


SPELLED = {
    "layers/core/nyanko/event_rows.py",
    "layers/core/nyanko/adapters/dynamodb_events.py",
    "layers/core/nyanko/reconciliation.py",  # its words for progress, of which one is the same
}
STATES = {"claimed", "applied", "ignored", "parked"}


@pytest.mark.parametrize(
    "path", [path for path in [*SHIPPED, *OPS] if module(path) not in SPELLED], ids=module
)
def test_the_states_of_an_event_are_spelled_in_one_place(path: Path) -> None:
    """As a key of a mapping or an argument of a log line, the same letters are another word."""
    compared = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Compare | ast.Set | ast.List | ast.Tuple)
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and part.value in STATES
    ]
    assert compared == []


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
