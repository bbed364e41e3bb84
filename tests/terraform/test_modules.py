"""Every module and root by itself: valid, and with the tests that stand beside it passing."""

from pathlib import Path

import pytest

from tests.terraform.command import MODULES, ROOTS, STAGES, TERRAFORM, Checkout
from tests.terraform.plans import ROOT as OFFLINE

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("folder", [*MODULES, *ROOTS])
def test_it_is_valid_and_its_tests_pass(folder: str, tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    checkout.initialise(folder, "-backend=false")
    if folder in ROOTS:  # and through them the modules, some of which need providers from outside to be valid
        checkout.run(folder, "validate", "-no-color")
    assert " 0 failed." in checkout.run(folder, "test", "-no-color")


@pytest.mark.parametrize("stage", STAGES)
def test_an_environment_that_nobody_filled_in_is_refused(stage: str, tmp_path: Path) -> None:
    folder = f"envs/{stage}"
    unfilled = (TERRAFORM / folder / "terraform.tfvars").read_text()
    overrides = {f"{folder}/terraform.tfvars": unfilled, f"{folder}/offline_override.tf": OFFLINE}
    checkout = Checkout(tmp_path, overrides)
    checkout.initialise(folder)
    status, output = checkout.attempt(folder, "plan", "-input=false", "-no-color")
    told = " ".join(output.split())  # Terraform breaks lines anywhere
    assert status == 1
    assert told.count("fill in terraform.tfvars, as docs/deploy.md says") == 4
    assert "The repository is owner/name" in told
