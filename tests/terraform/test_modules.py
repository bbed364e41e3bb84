"""Every module and root by itself: valid, and with the tests that stand beside it passing."""

from pathlib import Path

import pytest

from tests.terraform.command import MODULES, ROOTS, Checkout

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("folder", [*MODULES, *ROOTS])
def test_it_is_valid_and_its_tests_pass(folder: str, tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    checkout.initialise(folder, "-backend=false")
    checkout.run(folder, "validate", "-no-color")
    assert " 0 failed." in checkout.run(folder, "test", "-no-color")
