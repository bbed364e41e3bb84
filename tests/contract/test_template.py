"""The tools that read the template and the workflow find nothing to say."""

import io
import json
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from tests import template
from tests.sources import SHIPPED, imports, is_standard
from tests.template import ROOT

BIN = ROOT / ".venv" / "bin"
ENVIRONMENT = {**os.environ, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": template.REGION}
AARCH64 = 0xB7
"""`e_machine` of an ELF file for Graviton (https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html)."""

MAX_UNZIPPED_BYTES = 262_144_000
"""Of a function with its layers (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)."""

MAX_FUNCTION_BYTES = 15_000
MAX_LAYER_BYTES = {"CoreLayer": 490_000, "DependenciesLayer": 24_000_000}
"""Of what `sam deploy` uploads; half as much again as there was when this was written."""


def run(command: Iterable[str | Path], environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env=environment or ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_sam_and_cfn_lint_find_nothing() -> None:
    assert "is a valid SAM Template" in run([BIN / "sam", "validate", "--lint"])


def test_statelint_finds_nothing(tmp_path: Path) -> None:
    definition = tmp_path / "payment.asl.json"
    definition.write_text(json.dumps(template.definition("PaymentStateMachine")))
    assert run([BIN / "statelint", definition]) == ""


def test_the_workflow_fits_the_schema_of_the_language() -> None:
    """statelint knows the rules of the states language, this schema of cfn-lint's AWS's fields and types."""
    schema = resources.files("cfnlint") / "data/schemas/other/step_functions/statemachine.json"
    validator = Draft7Validator(json.loads(schema.read_text()))
    definition = template.definition("PaymentStateMachine")
    assert [error.message for error in validator.iter_errors(definition)] == []
    misspelt = {**definition, "States": {"Task": {"Type": "Tusk", "End": True}}}
    assert list(validator.iter_errors(misspelt))


def test_x_ray_is_off() -> None:
    """Roles may not write traces, so that they would be lost unnoticed: docs/decisions/0006-no-x-ray.md."""
    resources = [resource.get("Properties", {}) for resource in template.RESOURCES.values()]
    settings = [*template.SOURCE["Globals"].values(), *resources]
    assert not [each for each in settings if each.keys() & {"Tracing", "TracingEnabled"}]


def path_with_runtime() -> str:
    """PATH with the runtime's Python in front, which pyenv keeps off it."""
    pyenv = next(Path.home().glob(".pyenv/versions/3.13*/bin"), None)
    return f"{pyenv}:{os.environ['PATH']}" if pyenv else os.environ["PATH"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make build` makes, in a folder of its own."""
    path = path_with_runtime()
    if shutil.which("python3.13", path=path) is None:
        pytest.skip("sam build needs Python 3.13, which is not installed here")
    folder = tmp_path_factory.mktemp("built")
    run(
        [BIN / "sam", "build", "--build-dir", folder, "--cache-dir", folder.with_name("cache")],
        {**ENVIRONMENT, "PATH": path},
    )
    run(["make", "--directory", ROOT, "bytecode", f"BUILT={folder}"])
    return folder


def test_what_is_built_holds_the_sources_as_they_are(built: Path) -> None:
    for function in template.functions().values():
        shipped = {path.name for path in (built / function.logical_id).iterdir()}
        assert shipped == {"app.py", "__pycache__"}
        source = ROOT / "functions" / function.folder / "app.py"
        assert (built / function.logical_id / "app.py").read_text() == source.read_text()
    core = ROOT / "layers" / "core"
    layer = built / "CoreLayer" / "python"
    sources = {path.relative_to(core) for path in core.rglob("*.py")}
    assert {path.relative_to(layer) for path in layer.rglob("*.py")} == sources
    assert all((layer / source).read_text() == (core / source).read_text() for source in sources)


STALE = """
import marshal, sys
from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash
from pathlib import Path

UNCHECKED_HASH = (0b01).to_bytes(4, "little")
root, place = Path(sys.argv[1]), Path(sys.argv[2])
expected = {Path(cache_from_source(source)): source for source in root.rglob("*.py")}
assert expected.keys() == set(root.rglob("*.pyc")), expected.keys() ^ set(root.rglob("*.pyc"))
for compiled, source in expected.items():
    bytecode = compiled.read_bytes()
    assert bytecode[:4] == MAGIC_NUMBER, f"{compiled} is of another Python"
    assert bytecode[4:8] == UNCHECKED_HASH, f"{compiled} is checked when it is imported"
    assert bytecode[8:16] == source_hash(source.read_bytes()), f"{compiled} is stale"
    named = marshal.loads(bytecode[16:]).co_filename
    assert named == str(place / source.relative_to(root)), f"{compiled} is from {named}"
print(len(expected))
"""
"""Flags and hash: https://peps.python.org/pep-0552/#specification."""


@pytest.mark.parametrize(
    ("parts", "place", "least"),
    [("*Function", "/var/task", 1), ("*Layer/python", "/opt/python", 40)],
)
def test_bytecode_is_of_the_very_source_beside_it(built: Path, parts: str, place: str, least: int) -> None:
    """Python 3.13 takes it unseen. Tracebacks show the place, which is Lambda's and of no other machine."""
    for folder in built.glob(parts):
        told = run(["python3.13", "-c", STALE, folder, place], {**ENVIRONMENT, "PATH": path_with_runtime()})
        assert int(told) >= least


def test_the_layers_hold_what_the_functions_import(built: Path) -> None:
    folders = [built / "CoreLayer" / "python", built / "DependenciesLayer" / "python"]
    there = {path.stem for folder in folders for path in folder.iterdir()}
    # boto3 comes with Lambda's runtime.
    assert third_party() - {"boto3", "botocore"} <= there
    assert {"aws_lambda_powertools", "stripe", "jose"} <= third_party()
    assert not there & {"boto3", "botocore", "s3transfer", "moto", "pytest"}


def test_the_layers_are_built_for_graviton_and_fit(built: Path) -> None:
    files = [path for path in built.rglob("*") if path.is_file() and "Layer" in str(path.relative_to(built))]
    libraries = [path for path in files if path.suffix == ".so"]
    assert libraries
    for library in libraries:
        with library.open("rb") as binary:
            assert int.from_bytes(binary.read(20)[18:], "little") == AARCH64, library.name
    assert sum(path.stat().st_size for path in files) < MAX_UNZIPPED_BYTES


def test_the_dependencies_are_the_pinned_ones_and_nothing_else(built: Path) -> None:
    """Wheels are shipped as they are: certifi's brings tests of its own along."""
    layer = built / "DependenciesLayer" / "python"
    pinned = re.findall(r"^([a-z0-9-]+)==(\S+)", (layer / "requirements.txt").read_text(), re.MULTILINE)
    shipped = [folder.stem.rsplit("-", 1) for folder in layer.glob("*.dist-info")]
    assert sorted((name.replace("_", "-").lower(), version) for name, version in shipped) == sorted(pinned)
    assert [path.parent.name for path in layer.rglob("*") if path.name in {"test", "tests"}] == ["certifi"]


def test_packages_stay_small(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A cold start loads them, and a bound that is hit is a package that somebody should look at."""
    sizes = {folder.name: zipped_bytes(folder) for folder in sorted(built.iterdir()) if folder.is_dir()}
    with capsys.disabled():
        print("\nzipped bytes:", ", ".join(f"{name} {size:,}" for name, size in sizes.items()))
    bounds = dict.fromkeys(sizes, MAX_FUNCTION_BYTES) | MAX_LAYER_BYTES
    assert {name: size for name, size in sizes.items() if size > bounds[name]} == {}


def zipped_bytes(folder: Path) -> int:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    return len(packed.getvalue())


def test_the_built_template_needs_no_yaml_that_cloudformation_lacks(built: Path) -> None:
    """CloudFormation knows no anchors; ours are resolved by then."""
    assert not [
        line
        for line in (built / "template.yaml").read_text().splitlines()
        if line.lstrip("- ").startswith(("&", "*")) or ": *" in line
    ]


def third_party() -> set[str]:
    named = {name.partition(".")[0] for path in SHIPPED for name in imports(path)}
    return {name for name in named if not is_standard(name) and not name.startswith(("nyanko", "mypy_boto3"))}
