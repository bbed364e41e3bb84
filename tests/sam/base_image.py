"""Lambda's base image for Python, made of what this machine has: no registry of images is asked.

It holds what `sam local` and a function meet in AWS's image: the interpreter in /var/lang, boto3 and the
runtime client in /var/runtime, CA certificates, and the few commands with which SAM CLI lays layers into it
(https://docs.aws.amazon.com/lambda/latest/dg/python-image.html). SAM CLI adds its own emulator of the Runtime
API. It runs on x86_64 alone, whatever Linux of the GNU kind this machine has.
"""

import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.template import ROOT

TAG = "public.ecr.aws/lambda/python:3.13-x86_64"
"""The name under which SAM CLI looks for it."""

PYTHON = "3.13"
COMMANDS = ("sh", "chmod", "cp", "mv", "rm")
UNUSED = {"__pycache__", "site-packages", "test", "idlelib", "tkinter", "ensurepip", "turtledemo"}
OLD_PARTS_OF_LIBC = ("libdl.so.2", "libpthread.so.0", "librt.so.1", "libutil.so.1")
"""Empty by now, but wheels that are to run anywhere still name them."""

CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
CHANGES = (
    "ENV PATH=/var/lang/bin:/bin LANG=en_US.UTF-8 TZ=:UTC",
    "ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt",
    "ENV LAMBDA_TASK_ROOT=/var/task LAMBDA_RUNTIME_DIR=/var/runtime",
    "WORKDIR /var/task",
)
FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nsbx_user1051:x:993:990::/tmp:/bin/sh\n",
    "etc/group": "root:x:0:\nsbx_user1051:x:990:\n",
    "etc/nsswitch.conf": "hosts: files dns\n",
    # Layers come before what the runtime has, as on Lambda, so that a function finds its own versions first.
    "var/runtime/bootstrap": """\
#!/bin/sh
export AWS_EXECUTION_ENV=AWS_Lambda_python3.13
export PYTHONPATH="/var/task:/opt/python:/var/runtime"
exec /var/lang/bin/python3.13 -m awslambdaric "$_HANDLER"
""",
}


def python() -> Path | None:
    """The interpreter that the image is made of, if this machine has one."""
    # pyenv puts a program of this name on PATH that refuses to run.
    if pyenv := sorted(Path.home().glob(f".pyenv/versions/{PYTHON}*/bin/python{PYTHON}")):
        return pyenv[-1]
    found = shutil.which(f"python{PYTHON}")
    return Path(found) if found else None


def build(interpreter: Path, folder: Path, environment: dict[str, str]) -> None:
    """Make the image and give it to the engine that `environment` names; `folder` is for its parts."""
    root = folder / "root"
    _install(interpreter, root)
    archive = folder / "root.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(root, arcname=".")
    changes = [option for change in CHANGES for option in ("--change", change)]
    _run(["docker", "import", *changes, str(archive), TAG], environment)


def _install(interpreter: Path, root: Path) -> None:
    base = Path(_run([str(interpreter), "-c", "import sys; print(sys.base_prefix)"]).strip())
    lang = root / "var" / "lang"
    library = Path("lib", f"python{PYTHON}")
    shutil.copytree(base / library, lang / library, ignore=_not_needed)
    (lang / "bin").mkdir()
    shutil.copy2(base / "bin" / f"python{PYTHON}", lang / "bin")
    runtime = root / "var" / "runtime"
    uv = Path(sys.executable).with_name("uv")
    pins = ROOT / "requirements.txt"
    options = ["--quiet", "--python", str(interpreter), "--target", str(runtime), "--constraint", str(pins)]
    _run([str(uv), "pip", "install", *options, "awslambdaric", "boto3"])
    # Without its times: the files get new ones on their way into the image.
    compiling = ["-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash"]
    _run([str(interpreter), *compiling, "-s", str(root), "-p", "/", str(lang), str(runtime)])
    for folder in ("tmp", "opt", "var/task", "bin"):
        (root / folder).mkdir(exist_ok=True)
    for command in COMMANDS:
        shutil.copy2(_command(command), root / "bin" / command)
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (runtime / "bootstrap").chmod(0o755)
    certificates = root / CERTIFICATES.relative_to("/")
    certificates.parent.mkdir(parents=True)
    shutil.copy2(CERTIFICATES, certificates)
    binaries = [lang / "bin" / f"python{PYTHON}", *root.rglob("*.so"), *(root / "bin").iterdir()]
    for path in _libraries(binaries):
        target = root / path.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)


def _not_needed(_: str, names: list[str]) -> Iterable[str]:
    return {name for name in names if name in UNUSED or name.startswith("config-")}


def _libraries(binaries: Iterable[Path]) -> Iterator[Path]:
    """The shared libraries that these need, each by the name under which it is looked for."""
    listed = _run(["ldd", *(str(path) for path in binaries)])
    found = {Path(path) for path in re.findall(r"(?:=> |^\s+)(/\S+) \(0x", listed, re.MULTILINE)}
    libc = next(path for path in found if path.name == "libc.so.6")
    yield from found
    yield from (libc.with_name(name) for name in OLD_PARTS_OF_LIBC)


def _command(name: str) -> Path:
    found = shutil.which(name)
    assert found is not None, f"{name} is missing"
    return Path(found)


def _run(command: list[str], environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command, env=environment or dict(os.environ), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}"
    return done.stdout
