"""Every table and index that code or policies name is in tables.json."""

import ast
import json
import re
from typing import Any

import pytest

from tests.template import RESOURCES, ROOT, STAGE, resolved
from tests.workflow.engine import Workflow

TABLES: dict[str, Any] = json.loads((ROOT / "terraform" / "modules" / "data" / "tables.json").read_text())
TEMPLATE_TEXT = json.dumps(resolved(RESOURCES))


OF_OPERATORS = {"replays"}
"""Tables that no function touches."""


def wired() -> set[str]:
    """The nouns of the tables that the composition root names, or an adapter of several tables."""
    core = ROOT / "layers" / "core" / "nyanko"
    files = [core / "composition" / "adapters.py", *(core / "adapters").glob("dynamodb_*.py")]
    return {
        node.args[0].value
        for file in files
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"self.table", "tables"}
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def permitted() -> set[str]:
    return set(re.findall(rf":table/{STAGE}_jm_nyanko_(\w+)", TEMPLATE_TEXT))


def test_what_is_wired_exists_and_is_permitted() -> None:
    assert wired()
    assert wired() <= set(TABLES)
    assert wired() - OF_OPERATORS == permitted()


INDEXES = sorted(set(re.findall(r"_jm_nyanko_(\w+)/index/(\w+)", TEMPLATE_TEXT)))


@pytest.mark.parametrize(("noun", "index"), INDEXES)
def test_an_index_that_is_permitted_exists(noun: str, index: str) -> None:
    assert index in TABLES[noun]["indexes"]


@pytest.mark.parametrize("noun", TABLES)
def test_attributes_are_exactly_those_of_the_keys(noun: str) -> None:
    """DynamoDB refuses a table that defines an attribute which no key uses."""
    schemas = [TABLES[noun], *TABLES[noun].get("indexes", {}).values()]
    keys = {schema[key] for schema in schemas for key in ("hash_key", "range_key") if key in schema}
    assert keys == set(TABLES[noun]["attributes"])


def test_dynamodb_takes_every_schema(workflow: Workflow) -> None:
    assert all(workflow.rows(noun) == [] for noun in TABLES)
