"""Who may use the console, and what it asks for before it does something."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from flask.testing import FlaskClient

from ops.console.app import COOKIE, create_app
from tests.data import MIKE, MIKES_PURCHASE, player_id, purchase_id
from tests.stripe_events import Event, session_event, signed
from tests.workflow.engine import Workflow
from tests.workflow.operators import stage_of_the_workflow

KEY = "a-key-of-43-characters"
HOST = "http://127.0.0.1:4580"


@pytest.fixture
def browser(workflow: Workflow) -> Iterator[FlaskClient]:  # noqa: ARG001 it must run
    with create_app(stage_of_the_workflow(), KEY).test_client() as client:
        yield client


@pytest.fixture
def parked(workflow: Workflow) -> Event:
    event = session_event("completed", workflow.sell(quantity=1))
    workflow.fail("GrantItems", "KeyError")
    workflow.deliver(signed(event))
    return event


def enter(browser: FlaskClient) -> None:
    assert browser.get(f"/?key={KEY}", base_url=HOST).status_code == 302


def token(browser: FlaskClient, event_id: str) -> str:
    page = browser.get("/replay", query_string={"event": event_id}, base_url=HOST)
    [found] = re.findall(r'name="csrf" value="([^"]+)"', page.text)
    return str(found)


@pytest.mark.parametrize("path", ["/", "/events/evt_1", "/replay?event=evt_1", "/?key=", "/?key=guessed"])
def test_nobody_enters_without_the_key(browser: FlaskClient, path: str) -> None:
    answer = browser.get(path, base_url=HOST)
    assert (answer.status_code, COOKIE in answer.headers.get("Set-Cookie", "")) == (403, False)


def test_the_key_is_kept_where_no_other_page_and_no_script_reaches_it(browser: FlaskClient) -> None:
    entered = browser.get(f"/?key={KEY}", base_url=HOST)
    assert entered.headers["Location"] == "/"
    cookie = entered.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert browser.get("/", base_url=HOST).status_code == 200


@pytest.mark.parametrize(
    "host", ["http://evil.example:4580", "http://127.0.0.1.evil.example:4580", "http://0.0.0.0"]
)
def test_a_page_elsewhere_cannot_reach_it_under_a_name_of_its_own(browser: FlaskClient, host: str) -> None:
    assert browser.get(f"/?key={KEY}", base_url=host).status_code == 403


@pytest.mark.parametrize("csrf", [None, "", "guessed"])
def test_a_replay_needs_the_token_of_the_form(
    browser: FlaskClient, workflow: Workflow, parked: Event, csrf: str | None
) -> None:
    enter(browser)
    form = {"event": parked["id"], **({} if csrf is None else {"csrf": csrf})}
    assert browser.post("/replay", data=form, base_url=HOST).status_code == 400
    assert workflow.inventory() == {}
    assert len(workflow.executions(parked["id"])) == 1


def test_the_form_replays_and_leads_back_to_the_event(
    browser: FlaskClient, workflow: Workflow, parked: Event
) -> None:
    enter(browser)
    form = {"event": parked["id"], "csrf": token(browser, parked["id"]), "reason_text": "mended"}
    answer = browser.post("/replay", data=form, base_url=HOST)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/events/{parked['id']}")
    assert workflow.inventory() == {"cat_food": 10, "toy_mouse": 1}
    assert browser.post("/replay", data=form, base_url=HOST).status_code == 303
    assert len(workflow.executions(parked["id"])) == 2, "the form sent twice replays once"
    assert [row["reason"] for row in workflow.rows("replays")] == ["mended"]


def test_prod_wants_its_name_typed_and_a_reason(
    workflow: Workflow, parked: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = stage_of_the_workflow("prod")
    monkeypatch.setattr(type(stage.adapters), "resource", lambda _, noun: f"stg_jm_nyanko_{noun}")
    with create_app(stage, KEY).test_client() as browser:
        enter(browser)
        form = {"event": parked["id"], "csrf": token(browser, parked["id"])}
        unnamed = browser.post("/replay", data=form | {"reason_text": "mended"}, base_url=HOST)
        assert "type the stage&#39;s name" in unnamed.text
        unsaid = browser.post("/replay", data=form | {"stage": "prod", "reason_text": " "}, base_url=HOST)
        assert "say why" in unsaid.text
    assert len(workflow.executions(parked["id"])) == 1


def test_no_page_runs_scripts_or_is_kept_or_framed(browser: FlaskClient, parked: Event) -> None:
    enter(browser)
    for path in (
        "/",
        f"/events/{parked['id']}",
        f"/purchases/{MIKES_PURCHASE}",
        f"/players/{MIKE.player_id}",
        "/nowhere",
    ):
        answer = browser.get(path, base_url=HOST)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["Cache-Control"] == "no-store"
        assert "<script" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/events/evt_nobody",
        f"/purchases/{purchase_id('nobody')}",
        f"/players/{player_id('nobody')}",
        "/nowhere",
    ],
)
def test_what_does_not_exist_is_said_so(browser: FlaskClient, path: str) -> None:
    enter(browser)
    answer = browser.get(path, base_url=HOST)
    assert answer.status_code == 404
    assert 'role="alert"' in answer.text


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("evt_1Mike", "/events/evt_1Mike"),
        ("evt_1Mike-r2", "/executions/evt_1Mike-r2"),
        (
            "arn:aws:states:ap-northeast-1:1:execution:stg_jm_nyanko_payment:evt_1Mike",
            "/executions/evt_1Mike",
        ),
        (f" {MIKES_PURCHASE} ", f"/purchases/{MIKES_PURCHASE}"),
        (MIKE.player_id, f"/players/{MIKE.player_id}"),
        ("0x" + "ab" * 20, "/players/0x" + "ab" * 20),
    ],
)
def test_whatever_is_searched_for_leads_to_its_page(browser: FlaskClient, name: str, path: str) -> None:
    enter(browser)
    assert browser.get("/find", query_string={"name": name}, base_url=HOST).headers["Location"] == path


def test_an_outage_is_said_on_the_page(
    browser: FlaskClient, workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(browser)
    workflow.stripe_api.down = True
    assert browser.get("/", base_url=HOST).status_code == 200, "without Stripe there are only no purchases"

    def refused(*_: object) -> None:
        told: Any = {"Error": {"Code": "AccessDeniedException", "Message": "not for you"}}
        raise ClientError(told, "GetItem")

    monkeypatch.setattr("nyanko.adapters.dynamodb_events.Events.get", refused)
    answer = browser.get("/events/evt_1Mike", base_url=HOST)
    assert (answer.status_code, "not for you" in answer.text) == (503, True)


def test_what_an_event_says_is_shown_as_text(browser: FlaskClient, workflow: Workflow) -> None:
    event = session_event("completed", workflow.sell(quantity=1))
    workflow.fail("VerifyEvent", "KeyError", "<b onclick=alert(1)>")
    workflow.deliver(signed(event))
    enter(browser)
    page = browser.get(f"/events/{event['id']}", base_url=HOST).text
    assert "<b onclick" not in page
    assert "&lt;b onclick" in page
