"""The player's REST API but for its checkout: what each route answers, and what it refuses."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from nyanko.adapters.joinmake import Joinmake
from nyanko.composition.function import adapters
from nyanko.errors import Retryable
from nyanko.players import PROFILE_MAX_AGE_SECONDS
from nyanko.spends import MAX_COUNT
from tests import template
from tests.data import MIKE, MIKES_PURCHASE, SAMPLES, STARTER_PACK, player_id
from tests.invocation import REQUEST_ID
from tests.printed import printed
from tests.stripe_events import NOW, session_event, signed
from tests.workflow.api import Answer, Client, order
from tests.workflow.engine import Workflow

SPEND = "/inventory/cat_food/spend"
API_REQUEST_ID = SAMPLES["api"]["requestContext"]["requestId"]
TAMA = player_id("tama")


def buy(workflow: Workflow, quantity: int = 1) -> None:
    """Mike buys packs of ten cat foods and a toy mouse."""
    workflow.deliver(signed(session_event("completed", workflow.sell(quantity=quantity))))


# Every request


def malformed(body: str | None, *, in_base64: bool = False) -> dict[str, Any]:
    return {"body": body, "isBase64Encoded": in_base64}


MALFORMED = {
    "nothing": malformed(None),
    "empty": malformed(""),
    "null": malformed("null"),
    "not JSON": malformed("product_id=neko_starter_pack"),
    "cut off": malformed('{"product_id": "neko_'),
    "a list": malformed("[]"),
    "a text": malformed('"neko_starter_pack"'),
    "too deep": malformed("[" * 100_000),
    "a number without end": malformed('{"quantity": ' + "9" * 5_000 + "}"),
    "cut off base64": malformed("e30", in_base64=True),
    "no base64 at all": malformed("猫", in_base64=True),
    "base64 of no UTF-8": malformed(base64.b64encode("{}".encode("utf-16")).decode(), in_base64=True),
}


@pytest.mark.parametrize("path", ["/checkout", SPEND])
@pytest.mark.parametrize("changed", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_body_is_refused(workflow: Workflow, path: str, changed: dict[str, Any]) -> None:
    assert Client(workflow).send("POST", path, **changed).refused == (400, "InvalidRequest")


ORDER = order()
SPENT = {"spend_id": "feed-1", "count": 1}
WRONG: list[tuple[str, dict[str, Any]]] = [
    ("/checkout", {"quantity": 1}),
    ("/checkout", {**ORDER, "product_id": ["neko_starter_pack"]}),
    ("/checkout", {**ORDER, "amount": 1}),
    (SPEND, {**SPENT, "spend_id": "feed-1\n"}),
    (SPEND, {**SPENT, "count": MAX_COUNT + 1}),
    (SPEND, {**SPENT, "player_id": TAMA}),
]
"""One of each kind; tests/unit has what else is refused."""


@pytest.mark.parametrize(("path", "body"), WRONG)
def test_a_field_that_is_wrong_missing_or_unknown_is_refused(
    workflow: Workflow, path: str, body: dict[str, Any]
) -> None:
    adapters().products.put(STARTER_PACK)
    buy(workflow)
    assert Client(workflow).post(path, body).refused == (400, "InvalidRequest")
    assert (len(workflow.rows("purchases")), workflow.inventory()["cat_food"]) == (1, 10)


def test_a_body_in_base64_is_read(workflow: Workflow) -> None:
    buy(workflow)
    body = base64.b64encode(json.dumps(SPENT).encode()).decode()
    assert Client(workflow).send("POST", SPEND, body=body, isBase64Encoded=True).ok()["quantity"] == 9


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", "/players"), ("DELETE", "/me"), ("GET", "/checkout"), ("POST", "/purchases/a/b")],
)
def test_an_unknown_path_or_method_is_not_found(workflow: Workflow, method: str, path: str) -> None:
    asked = Client(workflow).send(method, path)
    assert asked.refused == (404, "NotFound")
    assert f"{method} {path}" in asked.body["error"]["message"]


def asked_of_all_kinds(workflow: Workflow) -> list[Answer]:
    workflow.fail_call("api", "PutItem", "ThrottlingException")
    client = Client(workflow)
    answers = [client.get("/health"), client.post(SPEND), client.get("/nowhere")]
    return [*answers, client.post("/realtime/ticket")]


def test_every_answer_names_its_request(workflow: Workflow) -> None:
    answers = asked_of_all_kinds(workflow)
    assert [answer.status for answer in answers] == [200, 400, 404, 503]
    assert {answer.headers["x-request-id"] for answer in answers} == {API_REQUEST_ID}


def test_every_line_of_the_log_names_its_request_and_its_call(workflow: Workflow) -> None:
    Client(workflow).get("/health")  # a logger that is made meanwhile would print elsewhere
    with printed() as text:
        asked_of_all_kinds(workflow)
    lines = [json.loads(line) for line in text.getvalue().splitlines()]
    assert [(line["message"], line["code"]) for line in lines] == [
        ("refused", "InvalidRequest"),
        ("refused", "NotFound"),
        ("refused", "ServiceUnavailable"),
    ]
    assert {(line["correlation_id"], line["request_id"]) for line in lines} == {(API_REQUEST_ID, REQUEST_ID)}


def test_what_one_request_was_about_is_not_said_of_the_next(workflow: Workflow) -> None:
    adapters().products.put(STARTER_PACK)
    client = Client(workflow)
    client.get("/health")
    with printed() as text:
        opened = client.post("/checkout", ORDER).ok()["purchase_id"]
        client.get("/nowhere")
    first, second = (json.loads(line) for line in text.getvalue().splitlines())
    assert (first["message"], first["purchase_id"]) == ("checkout", opened)
    assert (second["message"], "purchase_id" in second) == ("refused", False)


@pytest.mark.parametrize(
    ("method", "path", "operation", "body"),
    [
        ("GET", "/products", "Scan", None),
        ("POST", "/checkout", "GetItem", ORDER),
        ("POST", "/checkout", "TransactWriteItems", ORDER),
        ("GET", "/me", "GetItem", None),
        ("GET", "/purchases", "Query", None),
        ("GET", f"/purchases/{MIKES_PURCHASE}", "GetItem", None),
        ("GET", "/inventory", "Query", None),
        ("POST", SPEND, "TransactWriteItems", SPENT),
        ("GET", "/notices", "Query", None),
        ("POST", "/notices/1700000000.a.1/ack", "UpdateItem", None),
        ("POST", "/realtime/ticket", "PutItem", None),
    ],
)
def test_what_dynamodb_cannot_serve_now_may_be_asked_again(
    workflow: Workflow, method: str, path: str, operation: str, body: Any
) -> None:
    adapters().products.put(STARTER_PACK)
    workflow.fail_call("api", operation, "ThrottlingException")
    refused = Client(workflow).send(method, path, body=json.dumps(body))
    assert (refused.refused, refused.headers["retry-after"]) == ((503, "ServiceUnavailable"), "5")


def test_a_fault_of_ours_is_told_to_the_log_and_answers_nobody(workflow: Workflow) -> None:
    client = Client(workflow)
    client.get("/health")
    workflow.fail_call("api", "Query", "ValidationException")
    with printed() as text, pytest.raises(ClientError, match="ValidationException"):
        client.get("/inventory")
    [line] = [json.loads(line) for line in text.getvalue().splitlines()]
    assert (line["level"], line["error"], line["correlation_id"]) == ("ERROR", "ClientError", API_REQUEST_ID)


# Shop and player


def test_the_shop_is_up_and_says_which_stage_it_is(workflow: Workflow) -> None:
    assert Client(workflow).get("/health").ok() == {
        "status": "ok",
        "stage": template.STAGE,
        "version": template.functions()["api"].environment["VERSION"],
    }


def test_only_what_is_on_sale_now_is_listed(workflow: Workflow) -> None:
    not_now = [{"active": False}, {"sale_from": NOW + 1}, {"sale_until": NOW}]
    for number, changed in enumerate(not_now):
        adapters().products.put(replace(STARTER_PACK, product_id=f"not_now_{number}", **changed))  # type: ignore[arg-type] # fields of several types
    adapters().products.put(replace(STARTER_PACK, sale_from=NOW, sale_until=NOW + 1, limit_per_player=9))
    assert Client(workflow).get("/products").ok() == {
        "products": [
            {
                "product_id": "neko_starter_pack",
                "name": "ねこスターターパック",
                "unit_amount": 500,
                "currency": "jpy",
                "items": {"cat_food": 10, "toy_mouse": 1},
            }
        ]
    }


class JoinAndMake:
    """What Join&make says of anybody, counted; None while it is down."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.says: dict[str, Any] | None = None
        self.asked = 0
        monkeypatch.setattr(Joinmake, "_find_or_create", lambda *_: self._answer())

    def _answer(self) -> dict[str, Any]:
        self.asked += 1
        if self.says is None:
            raise Retryable("JoinmakeUnavailable", "Join&make is down")
        return self.says


@pytest.fixture
def joinmake(monkeypatch: pytest.MonkeyPatch) -> JoinAndMake:
    return JoinAndMake(monkeypatch)


MIKES_VIEW = {
    "player_id": MIKE.player_id,
    "joinmake_user_id": "jm_1",
    "display_name": "ミケ",
    "birth_month": "1990-04",
}


def test_a_player_is_described_as_joinmake_describes_them(workflow: Workflow, joinmake: JoinAndMake) -> None:
    client = Client(workflow)
    joinmake.says = {"user_id": "jm_1", "display_name": "ミケ", "birth_month": "1990-04"}
    assert client.get("/me").ok() == MIKES_VIEW
    joinmake.says = {"user_id": "jm_1", "display_name": "三毛", "birth_month": None}
    workflow.now += PROFILE_MAX_AGE_SECONDS - 1
    assert client.get("/me").ok() == MIKES_VIEW
    assert joinmake.asked == 1
    workflow.now += 1
    assert client.get("/me").ok() == {**MIKES_VIEW, "display_name": "三毛", "birth_month": None}


def test_while_joinmake_is_down_a_known_player_is_told_what_is_known(
    workflow: Workflow, joinmake: JoinAndMake
) -> None:
    adapters().players.put(MIKE)
    assert MIKE.profile_is_old(workflow.now)
    assert Client(workflow).get("/me").ok() == MIKES_VIEW
    assert joinmake.asked == 1


@pytest.mark.usefixtures("joinmake")
def test_while_joinmake_is_down_a_new_player_has_to_try_again(workflow: Workflow) -> None:
    adapters().players.put(MIKE)
    refused = Client(workflow, TAMA).get("/me")
    assert (refused.refused, refused.headers["retry-after"]) == ((503, "JoinmakeUnavailable"), "5")


def test_a_ticket_is_of_the_player_who_asked_and_lasts_as_long_as_it_says(workflow: Workflow) -> None:
    issued = Client(workflow).post("/realtime/ticket")
    [row] = workflow.rows("tickets")
    assert (issued.status, issued.body["url"]) == (201, "wss://realtime.nyanko.test")
    assert (row["player_id"], row["expires_at"]) == (MIKE.player_id, NOW + issued.body["expires_in"])
