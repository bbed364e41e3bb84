"""Every error code is raised somewhere, and our errors are final."""

import ast
from collections.abc import Iterator
from typing import get_args

import pytest

from nyanko.apigateway import STATUS
from nyanko.errors import BadInput, BadInputCode, NotOurs, Permanent, PermanentCode, Retryable, RetryableCode
from tests.template import ROOT

SHIPPED = [*(ROOT / "layers" / "core").rglob("*.py"), *(ROOT / "functions").glob("*/app.py")]
CODES = {*get_args(BadInputCode), *get_args(PermanentCode), *get_args(RetryableCode)}


def texts() -> Iterator[str]:
    """Every string in the shipped code but for errors.py, which only lists the codes, and HTTP's statuses."""
    for path in SHIPPED:
        if path.name not in {"errors.py", "http.py"}:
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value


def test_every_code_is_raised_somewhere() -> None:
    assert set(texts()) >= CODES


def test_only_codes_that_exist_have_a_status() -> None:
    assert set(STATUS) <= set(get_args(BadInputCode))


@pytest.mark.parametrize("error", [BadInput, NotOurs, Permanent, Retryable])
def test_nothing_is_derived_from_our_errors(error: type[Exception]) -> None:
    """Step Functions matches the exact name of the class, never that of a base class."""
    assert error.__bases__ == (Exception,)
    assert error.__subclasses__() == []
