"""Alarms and dashboard are made of figures that somebody gives: no name of a metric may drift."""

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests import template
from tests.template import ROOT

OURS = f"{template.STAGE}_jm_nyanko"
ALARMS: dict[str, Any] = {
    logical_id: template.resolved(alarm) for logical_id, alarm in template.each("AWS::CloudWatch::Alarm")
}
[(_, DASHBOARD)] = template.each("AWS::CloudWatch::Dashboard")
BODY: dict[str, Any] = json.loads(
    template.resolved({"Fn::Sub": DASHBOARD["DashboardBody"]["Fn::Sub"]}).replace("${", "{")
)


def given() -> set[tuple[str, str]]:
    """Function and metric of every figure that a function gives."""
    found = set()
    for path in (ROOT / "functions").glob("*/app.py"):
        text = path.read_text()
        if "metric(" in text:
            names = set(re.findall(r'\bmetric\(\s*"(\w+)"', text))
            names |= {value for value in strings(text) if re.fullmatch(r"Reconcile[A-Z]\w+", value)}
            found |= {(path.parent.name, name) for name in names}
    return found | {(folder, "StaleSecret") for folder in template.functions() if reads_secrets(folder)}


def reads_secrets(folder: str) -> bool:
    """The composition root gives the figure for whichever function could not read one."""
    statements = template.functions()[folder].statements
    return any("secretsmanager:GetSecretValue" in statement["Action"] for statement in statements)


def strings(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def shown() -> set[tuple[str, str]]:
    """Function and metric of ours of every line of the dashboard, with its abbreviations spelled out."""
    found = set()
    for widget in BODY["widgets"]:
        last: list[Any] = []
        for line in widget["properties"].get("metrics", []):
            if isinstance(line[0], dict):
                searched = re.findall(r'MetricName="(\w+)"', line[0]["expression"])
                found |= {(folder, name) for folder, name in given() if name in searched}
                continue
            values = [value for value in line if not isinstance(value, dict)]
            if values[0] == "...":
                values = last[: len(last) - len(values) + 1] + values[1:]
            last = [
                before if value == "." else value
                for value, before in zip(values, last or values, strict=False)
            ]
            if last[0] == OURS:
                found.add((last[3], last[1]))
    return found


def test_every_figure_that_is_given_is_shown_and_the_reverse() -> None:
    assert given()
    assert shown() == given()


def test_every_alarm_on_a_figure_of_ours_has_one() -> None:
    ours = {
        (alarm["Dimensions"][0]["Value"], alarm["MetricName"])
        for alarm in ALARMS.values()
        if alarm["Namespace"] == OURS
    }
    assert ours
    assert ours <= given()


@pytest.mark.parametrize("logical_id", ALARMS)
def test_an_alarm_is_about_this_stage_alone(logical_id: str) -> None:
    alarm = ALARMS[logical_id]
    about = json.dumps([alarm["Namespace"], alarm["Dimensions"]])
    assert template.STAGE in about or "PaymentEvents" in about


def test_an_alarm_about_an_api_names_a_route_that_exists() -> None:
    routes = {
        (event["Properties"]["Method"], event["Properties"]["Path"])
        for function in template.functions().values()
        for event in function.events.values()
        if event["Type"] == "Api"
    }
    named = {
        (values["Method"], values["Resource"])
        for alarm in ALARMS.values()
        if alarm["Namespace"] == "AWS/ApiGateway"
        for values in [{each["Name"]: each["Value"] for each in alarm["Dimensions"]}]
    }
    assert named
    assert named <= routes
