"""What Terraform would make of an empty account, without asking AWS anything."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.terraform.command import Checkout, together, variables

SILENT = """
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  allowed_account_ids         = null
"""
MODULE = f"""
provider "aws" {{
  region = "ap-northeast-1"
{SILENT}}}
"""
ROOT = f"""
{MODULE}

provider "aws" {{
  alias = "us_east_1"
{SILENT}}}

terraform {{
  backend "local" {{}}
}}
"""


@dataclass(frozen=True)
class Resource:
    """`values` are those known before AWS has made anything; `later` has True for each that is not."""

    address: str
    kind: str
    values: Mapping[str, Any]
    later: Mapping[str, Any]

    def is_set(self, attribute: str) -> bool:
        return self.values.get(attribute) is not None or self.later.get(attribute) is True


@dataclass(frozen=True)
class Plan:
    resources: tuple[Resource, ...]

    def each(self, kind: str) -> Iterator[Resource]:
        found = [resource for resource in self.resources if resource.kind == kind]
        assert found, f"the plan has no {kind}"
        yield from found


def plan(
    directory: Path, folders: tuple[str, ...], values: Mapping[str, object] | None = None
) -> dict[str, Plan]:
    """The plans of roots or modules, made side by side."""
    offline = {
        folder: ("offline.tf", MODULE) if folder.startswith("modules/") else ("offline_override.tf", ROOT)
        for folder in folders
    }
    checkout = Checkout(directory, {f"{folder}/{name}": text for folder, (name, text) in offline.items()})
    for folder in folders:
        checkout.initialise(folder)
    together(
        checkout.start(
            folder, "plan", "-input=false", "-no-color", "-out=plan", environment=variables(values or {})
        )
        for folder in folders
    )
    return {folder: _read(json.loads(checkout.run(folder, "show", "-json", "plan"))) for folder in folders}


def _read(shown: Mapping[str, Any]) -> Plan:
    return Plan(
        tuple(
            Resource(
                address=change["address"],
                kind=change["type"],
                values=change["change"]["after"],
                later=change["change"]["after_unknown"],
            )
            for change in shown["resource_changes"]
            if change["mode"] == "managed"
        )
    )
