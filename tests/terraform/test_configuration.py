"""The files of `terraform/`, as Terraform itself reads them."""

import re
import subprocess

import pytest

from tests.terraform import readmes
from tests.terraform.command import MODULES, ROOTS, STAGES, TERRAFORM, binary


def test_every_file_is_formatted() -> None:
    checked = subprocess.run(
        [binary(), "fmt", "-check", "-diff", "-recursive", TERRAFORM],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("module", MODULES)
def test_every_module_has_the_same_files_and_a_readme_of_what_it_takes_and_gives(module: str) -> None:
    folder = TERRAFORM / module
    assert {path.name for path in folder.glob("*.tf")} >= {
        "main.tf",
        "variables.tf",
        "outputs.tf",
        "versions.tf",
    }
    assert list((folder / "tests").glob("*.tftest.hcl"))
    assert (folder / "README.md").read_text() == readmes.render(folder), readmes.REMEDY


@pytest.mark.parametrize("root", ROOTS)
def test_every_root_pins_the_same_provider(root: str) -> None:
    # Exactly: the lock file that would do it names the registry, and so stays where it is made.
    settings = "".join(path.read_text() for path in (TERRAFORM / root).glob("*.tf"))
    assert re.findall(r' version *= "([^"]+)"', settings) == ["5.100.0"]


@pytest.mark.parametrize("stage", STAGES)
def test_an_environment_is_one_module_call(stage: str) -> None:
    blocks = [
        line
        for line in (TERRAFORM / "envs" / stage / "main.tf").read_text().splitlines()
        if line and line[0] not in " #}"
    ]
    assert blocks == ['module "environment" {']
