"""API Gateway's routes are those that the code answers, and each but the public ones needs a token."""

import re
from typing import Any

import pytest

from functions.api.app import app
from tests import template

PUBLIC = {("GET", "/health"), ("GET", "/products"), ("POST", "/stripe/webhook")}


def api_events(folder: str) -> list[dict[str, Any]]:
    events = template.functions()[folder].events.values()
    return [event["Properties"] for event in events if event["Type"] == "Api"]


def template_routes(folder: str) -> set[tuple[str, str]]:
    return {(event["Method"], event["Path"]) for event in api_events(folder)}


def registered() -> set[tuple[str, str]]:
    """Powertools writes `<name>` where API Gateway writes `{name}`."""
    routes = [*app._static_routes, *app._dynamic_routes]
    return {(route.method, re.sub(r"<(\w+)>", r"{\1}", route.path)) for route in routes}


def test_the_api_answers_the_routes_that_the_template_gives_it() -> None:
    assert registered() == template_routes("api")


def test_the_webhook_has_one_route() -> None:
    assert template_routes("stripe_webhook") == {("POST", "/stripe/webhook")}


@pytest.mark.parametrize("folder", ["api", "stripe_webhook"])
def test_all_but_the_public_routes_need_a_token(folder: str) -> None:
    for event in api_events(folder):
        public = event.get("Auth", {}).get("Authorizer") == "NONE"
        assert public == ((event["Method"], event["Path"]) in PUBLIC), event["Path"]


def test_without_a_word_a_route_needs_a_token() -> None:
    auth = template.RESOURCES["RestApi"]["Properties"]["Auth"]
    assert auth["DefaultAuthorizer"] == "Web3Auth"
    assert template.resolved(auth["Authorizers"]["Web3Auth"]["FunctionArn"]) == template.arn(
        "AuthorizerFunction"
    )
