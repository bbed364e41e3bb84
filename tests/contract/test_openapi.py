"""docs/openapi.yaml describes exactly the routes of template.yaml, with the bounds that the code has."""

from typing import get_args

import pytest

from nyanko.catalog import MAX_QUANTITY
from nyanko.checkout import MAX_KEY_LENGTH
from nyanko.pages import DEFAULT_LIMIT, MAX_LIMIT
from nyanko.purchases import Status
from nyanko.spends import MAX_COUNT, SPEND_ID
from tests.openapi import OPENAPI, OPERATIONS
from tests.template import each


def rest_routes() -> dict[tuple[str, str], bool]:
    """Method and path of each route, and whether it needs a token."""
    events = [
        event["Properties"]
        for _, function in each("AWS::Serverless::Function")
        for event in function.get("Events", {}).values()
        if event["Type"] == "Api"
    ]
    return {
        (event["Method"], event["Path"]): event.get("Auth", {}).get("Authorizer") != "NONE"
        for event in events
    }


def test_the_description_has_the_routes_of_the_template() -> None:
    assert set(OPERATIONS) == set(rest_routes())


def test_what_needs_no_token_says_so() -> None:
    described = {route for route, operation in OPERATIONS.items() if operation.get("security") == []}
    assert described == {route for route, needs_token in rest_routes().items() if not needs_token}


@pytest.mark.parametrize("route", sorted(OPERATIONS), ids=" ".join)
def test_what_needs_a_token_may_answer_401(route: tuple[str, str]) -> None:
    operation = OPERATIONS[route]
    assert ("401" in operation["responses"]) is ("security" not in operation)


def test_bounds_are_those_of_the_code() -> None:
    order = OPERATIONS["POST", "/checkout"]["requestBody"]["content"]["application/json"]["schema"][
        "properties"
    ]
    assert order["quantity"]["maximum"] == MAX_QUANTITY
    assert OPERATIONS["POST", "/checkout"]["parameters"][0]["schema"]["maxLength"] == MAX_KEY_LENGTH
    limit = OPERATIONS["GET", "/purchases"]["parameters"][0]["schema"]
    assert (limit["maximum"], limit["default"]) == (MAX_LIMIT, DEFAULT_LIMIT)
    spend = OPERATIONS["POST", "/inventory/{item_id}/spend"]["requestBody"]["content"]["application/json"]
    assert spend["schema"]["properties"]["count"]["maximum"] == MAX_COUNT
    assert spend["schema"]["properties"]["spend_id"]["pattern"] == f"^{SPEND_ID.pattern}$"
    assert tuple(OPENAPI["components"]["schemas"]["Purchase"]["properties"]["status"]["enum"]) == get_args(
        Status
    )
