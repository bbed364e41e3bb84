"""Terraform on copies of `terraform/`, with the provider from a folder or from the registry."""

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NoReturn

import pytest

from tests.template import ACCOUNT, ROOT

TERRAFORM = ROOT / "terraform"
ROOTS = ("bootstrap", "account", "envs/stg", "envs/prod")
MODULES = tuple(sorted(f"modules/{folder.name}" for folder in (TERRAFORM / "modules").iterdir()))
STAGES = ("stg", "prod")

PROVIDER = "*/hashicorp/aws"
"""Below the folder of a registry, whichever it came from."""

PLUGINS_VARIABLE = "NYANKO_TERRAFORM_PLUGINS"

VARIABLES: Mapping[str, object] = {
    "account_id": ACCOUNT,
    "environments": STAGES,
    "github_repository": "joinmake/jm_nyanko",
    "emails": ["infrastructure@example.com"],
    "web3auth_client_id": "client-id",
    "joinmake_api_url": "https://users.example.com",
}
"""What the files leave to the owner."""


def plugins() -> Path | None:
    """The first folder that is laid out as a filesystem mirror and has the AWS provider.

    Looked for where the variable says, where Terraform itself looks
    (https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories), and
    up to two levels below the root of the file system.
    """
    named = [
        Path(os.environ[name]) for name in (PLUGINS_VARIABLE, "TF_PLUGIN_CACHE_DIR") if name in os.environ
    ]
    data = [
        Path(folder) for folder in os.environ.get("XDG_DATA_DIRS", "/usr/local/share:/usr/share").split(":")
    ]
    data.append(Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share")))
    implied = [
        Path.home() / ".terraform.d" / "plugins",
        *(folder / "terraform" / "plugins" for folder in data),
    ]
    return next((folder for folder in (*named, *implied, *_shallow()) if any(folder.glob(PROVIDER))), None)


def _shallow() -> Iterator[Path]:
    for top in Path("/").iterdir():
        # What is looked at may be gone before it is read, and some of it is not for everybody.
        with contextlib.suppress(OSError):
            for pattern in (PROVIDER, f"*/{PROVIDER}"):
                yield from (found.parents[2] for found in top.glob(pattern))


def unavailable(reason: str) -> NoReturn:
    """Say so loudly where people develop, and fail where nobody looks at what was skipped."""
    message = f"TERRAFORM WAS NOT CHECKED: {reason}"
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(message)
    pytest.skip(message)


@cache
def binary() -> str:
    found = shutil.which("terraform")
    if found is None:
        unavailable("there is no terraform command")
    return found


class Checkout:
    """A copy of `terraform/` in which commands leave their files; `overrides` are texts by their paths."""

    def __init__(self, directory: Path, overrides: Mapping[str, str] | None = None) -> None:
        self._directory = directory
        self._settings = directory / "terraform.rc"
        shutil.copytree(
            TERRAFORM,
            directory / "terraform",
            ignore=shutil.ignore_patterns(".terraform", "*.tfstate*", "*.tfvars"),
        )
        self._settings.write_text(_settings())
        for path, text in (overrides or {}).items():
            self.path(path).write_text(text)

    def path(self, name: str) -> Path:
        return self._directory / "terraform" / name

    def start(
        self, folder: str, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [binary(), f"-chdir={self.path(folder)}", *arguments],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self._directory),
                "TF_CLI_CONFIG_FILE": str(self._settings),
                "TF_IN_AUTOMATION": "1",
                "AWS_EC2_METADATA_DISABLED": "true",
                # The account's number is what the emulator takes for the account.
                "AWS_ACCESS_KEY_ID": ACCOUNT,
                "AWS_SECRET_ACCESS_KEY": "none",
                **variables(VARIABLES),
                **{
                    name: os.environ[name]
                    for name in ("HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE")
                    if name in os.environ
                },
                **(environment or {}),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, folder: str, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
        """The output of a command; fails the test with it if the command fails."""
        status, output = self.attempt(folder, *arguments, environment=environment)
        assert status == 0, f"terraform {' '.join(arguments)} in {folder}:\n{output}"
        return output

    def attempt(
        self, folder: str, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        with self.start(folder, *arguments, environment=environment) as process:
            output, _ = process.communicate()
        return process.returncode, output

    def initialise(self, folder: str, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        status, output = self.attempt(
            folder, "init", "-input=false", "-no-color", *arguments, environment=environment
        )
        if status != 0 and plugins() is None:
            unavailable(
                f"the AWS provider is in no folder that {PLUGINS_VARIABLE} or Terraform itself names, and "
                f"the registry cannot be reached:\n{output}"
            )
        assert status == 0, output


def together(processes: Iterable["subprocess.Popen[str]"]) -> None:
    """Wait for commands that run side by side; fails the test with the output of one that failed."""
    outputs = []
    for process in list(processes):
        with process:
            output, _ = process.communicate()
        outputs.append((process.returncode, output))
    assert all(status == 0 for status, _ in outputs), "\n".join(
        output for status, output in outputs if status
    )


def _settings() -> str:
    settings = "disable_checkpoint = true\n"
    folder = plugins()
    if folder is not None:
        settings += f'provider_installation {{\n  filesystem_mirror {{\n    path = "{folder}"\n  }}\n}}\n'
    return settings


def variables(values: Mapping[str, object]) -> dict[str, str]:
    """Terraform's variables as it reads them from the environment."""
    return {
        f"TF_VAR_{name}": value if isinstance(value, str) else json.dumps(value)
        for name, value in values.items()
    }
