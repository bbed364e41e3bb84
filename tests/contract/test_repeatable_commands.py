"""Every command that docs/ call repeatable is run twice by a test."""

import ast
import re

import pytest

from tests.template import ROOT

SENTENCE = re.compile(r"[^.:\n]*\b(?:can|may) be (?:repeated|given twice)\b[^.\n]*")

PROOFS = {
    "so the command can be repeated": [
        "tests/workflow/test_operators.py::test_replaying_again_starts_nothing",
        "tests/e2e/test_operations.py::test_what_broke_is_seen_foreseen_and_replayed",
    ],
    "The command can be repeated: it refunds once": [
        "tests/workflow/test_refunds.py::test_the_same_command_twice_makes_one_refund_and_says_so",
        "tests/workflow/test_refunds.py::test_a_refund_that_our_facts_do_not_know_yet_is_seen_at_stripe",
        "tests/e2e/test_operations.py::test_a_refund_is_issued_once_and_takes_the_items_back",
    ],
    "Both commands can be repeated, whatever step they were interrupted at": [
        "tests/integration/test_webhook_endpoints.py::test_each_half_of_a_roll_can_be_repeated",
        "tests/integration/test_webhook_endpoints.py::test_a_command_that_was_interrupted_is_resumed_by_itself",
    ],
}
"""What docs/ say, with the tests that do it twice."""


def promises() -> list[str]:
    """What docs/ say can be repeated, each with the rest of its sentence."""
    text = "\n".join(path.read_text() for path in sorted((ROOT / "docs").rglob("*.md")))
    return [found.strip() for found in SENTENCE.findall(text)]


def names_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_promise_of_the_documents_has_its_tests() -> None:
    found = promises()
    assert [one for one in found if not any(known in one for known in PROOFS)] == []
    assert [known for known in PROOFS if not any(known in one for one in found)] == []


@pytest.mark.parametrize("proof", sorted({proof for proofs in PROOFS.values() for proof in proofs}))
def test_there_is_such_a_test(proof: str) -> None:
    path, _, name = proof.partition("::")
    assert name in names_in(path)
