"""The assumed contract, `docs/joinmake.openapi.yaml`, as something to check messages against."""

from pathlib import Path
from typing import Any

import jsonschema
import yaml

PATH = Path(__file__).parents[2] / "docs" / "joinmake.openapi.yaml"
DOCUMENT: dict[str, Any] = yaml.safe_load(PATH.read_text())


def problem(schema: str, message: object) -> str | None:
    """What keeps `message` from being a `schema` of the contract, or None.

    A schema of OpenAPI 3.1 is JSON Schema 2020-12 (https://spec.openapis.org/oas/v3.1.0#schema-object).
    """
    validator = jsonschema.Draft202012Validator({"$ref": f"#/components/schemas/{schema}", **DOCUMENT})
    error = next(validator.iter_errors(message), None)
    return error.message if error else None


def response_schema(method: str, path: str, status: int) -> str:
    """The name of the schema that an answer has; `KeyError` for an answer that the contract does not know."""
    response = DOCUMENT["paths"][path][method.lower()]["responses"][str(status)]
    if "$ref" in response:
        response = DOCUMENT["components"]["responses"][response["$ref"].rpartition("/")[2]]
    name: str = response["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    return name
