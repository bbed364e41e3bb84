"""What each module takes and gives, as tables made from its files.

`python -m tests.terraform.readmes` writes them.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.terraform.command import MODULES, TERRAFORM

REMEDY = "run `python -m tests.terraform.readmes`"
BLOCK = re.compile(r'^(variable|output) "(\w+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)


def render(module: Path) -> str:
    """The README as it should be: the text above the first table is kept."""
    readme = module / "README.md"
    intro = readme.read_text().partition("\n## ")[0].rstrip() if readme.exists() else f"# {module.name}"
    inputs = [
        f"| {name} | {_text(body, 'description')} | {_default(body)} |"
        for name, body in _blocks(module / "variables.tf")
    ]
    outputs = [f"| {name} | {_text(body, 'description')} |" for name, body in _blocks(module / "outputs.tf")]
    return "\n".join(
        [
            intro,
            "\n## Inputs\n",
            "| input | means | default |\n|---|---|---|",
            *inputs,
            "\n## Outputs\n",
            "| output | is |\n|---|---|",
            *outputs,
            "",
        ]
    )


def _blocks(path: Path) -> Iterator[tuple[str, str]]:
    for block in BLOCK.finditer(path.read_text()):
        yield block[2], block[3]


def _text(body: str, attribute: str) -> str:
    found = re.search(rf'^  {attribute} += "(.*)"$', body, re.MULTILINE)
    assert found, f"no {attribute} in:\n{body}"
    return found[1].replace("|", "\\|")


def _default(body: str) -> str:
    found = re.search(r"^  default += (.+)$", body, re.MULTILINE)
    if found is None:
        return "required"
    return f"`{found[1]}`" if found[1] not in {"[", "{"} else "see `variables.tf`"


if __name__ == "__main__":
    for module in MODULES:
        (TERRAFORM / module / "README.md").write_text(render(TERRAFORM / module))
