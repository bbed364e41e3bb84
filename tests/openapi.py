"""docs/openapi.yaml, and its operations by method and path."""

from typing import Any

import yaml

from tests.template import ROOT

OPENAPI: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())
OPERATIONS = {
    (method.upper(), path): operation
    for path, operations in OPENAPI["paths"].items()
    for method, operation in operations.items()
}
