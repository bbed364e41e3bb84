"""The files of `terraform/`, as Terraform itself reads them."""

import json
import re
import shutil
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


@pytest.mark.parametrize(
    ("uri", "looked_up"),
    [
        ("/", "/index.html"),
        ("/play/", "/play/index.html"),
        ("/play/Build/0123abcd.wasm.br", "/play/Build/0123abcd.wasm.br"),
        ("/play", "301 /play/"),
    ],
)
def test_folders_of_the_site_answer_with_their_page(uri: str, looked_up: str) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("THE SITE'S FUNCTION WAS NOT TRIED: there is no node command")
    program = (
        (TERRAFORM / "modules" / "edge" / "index.js").read_text()
        + f"""
    const answer = handler({{ request: {{ uri: {json.dumps(uri)} }} }});
    console.log(answer.uri ?? `${{answer.statusCode}} ${{answer.headers.location.value}}`);
    """
    )
    ran = subprocess.run([node, "-e", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == looked_up
