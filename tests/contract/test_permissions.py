"""Each function may do what it does and nothing else.

That nothing is missing is shown by every test that runs on the engine, which refuses what the policies do not
allow. Here everything that a function can do is done, and what is still unused afterwards is too much.
"""

import json

import pytest
from botocore.exceptions import ClientError

from nyanko.adapters.joinmake import Joinmake
from nyanko.adapters.web3auth import Identity, Web3AuthVerifier
from nyanko.composition.function import adapters
from tests import template
from tests.data import (
    KUROS_PURCHASE,
    MIKES_PURCHASE,
    SAMPLES,
    STARTER_PACK,
    TAMAS_PURCHASE,
    player_id,
    purchase_id,
)
from tests.stripe_events import NOW, checkout_session, payment_intent_id, refund_event, session_event, signed
from tests.template import Function
from tests.workflow.api import CHILD, Client
from tests.workflow.calls import allows, calling_as
from tests.workflow.engine import Workflow

FUNCTIONS = template.functions()
PLAYER: str = SAMPLES["api"]["requestContext"]["authorizer"]["player_id"]


def use_the_api(workflow: Workflow) -> None:
    client = Client(workflow, PLAYER, CHILD)  # whose purchases have a limit
    listen(workflow, client)
    adapters().products.put(STARTER_PACK)
    for path in ("/health", "/products", "/me"):
        client.get(path).ok()
    order = {"product_id": "neko_starter_pack", "quantity": 1}
    checkout = client.post("/checkout", order, "first").ok()
    client.post("/checkout", order, "second").ok()
    workflow.deliver(signed(session_event("completed", workflow.purchase(checkout["purchase_id"]))))
    for path in ("/purchases", f"/purchases/{checkout['purchase_id']}", "/inventory"):
        client.get(path).ok()
    client.post("/inventory/cat_food/spend", {"spend_id": "feed-1", "count": 1}).ok()
    (notice,) = client.get("/notices").ok()["notices"]
    say(workflow, {"type": "hello"})
    say(workflow, {"type": "ack", "notice_id": notice["notice_id"]})
    say(workflow, {"type": "hello"}, "gone=")
    client.post(f"/notices/{notice['notice_id']}/ack").ok()


def listen(workflow: Workflow, client: Client) -> None:
    """Two games of the player's listen to what is pushed, of which one will be gone."""
    ticket = client.post("/realtime/ticket").ok()["ticket"]
    connect = {**SAMPLES["realtime_authorizer"], "queryStringParameters": {"ticket": ticket}}
    assert workflow.invoke("realtime_authorizer", connect)["principalId"] == PLAYER
    for connection_id in ("open=", "gone="):
        say(workflow, {"type": "hello"}, connection_id)
    workflow.sockets.dead.add("gone=")


def say(workflow: Workflow, message: dict[str, str], connection_id: str = "open=") -> None:
    sample = SAMPLES["realtime"]
    context = {**sample["requestContext"], "connectionId": connection_id}
    workflow.invoke("realtime", {**sample, "requestContext": context, "body": json.dumps(message)})


def use_the_pipeline(workflow: Workflow) -> None:
    assert workflow.invoke("stripe_webhook", SAMPLES["stripe_webhook"])["statusCode"] == 200
    purchase = workflow.sell()
    workflow.deliver(signed(session_event("expired", purchase, payment_status="unpaid")))
    succeeded = signed(session_event("async_payment_succeeded", purchase))
    workflow.meanwhile_call("grant_items", "TransactWriteItems", lambda: workflow.deliver(succeeded))
    workflow.deliver(signed(session_event("completed", purchase)))
    workflow.deliver(signed(session_event("completed", purchase)))
    other = workflow.sell(purchase_id("yoru"), quantity=1)
    missed = session_event("completed", other)
    workflow.stripe_api.events[missed["id"]] = missed
    workflow.stripe_api.sessions[payment_intent_id(other)] = [checkout_session(other)]
    workflow.deliver(signed(refund_event("created", other)))
    workflow.receive({"event_id": missed["id"]})
    workflow.stripe_api.charges["ch_mike"] = {"object": "charge", "payment_intent": "pi_mike"}
    workflow.deliver(signed(refund_event("created", purchase, payment_intent=None)))
    parked = signed(session_event("completed", workflow.sell(TAMAS_PURCHASE), amount_total=1))
    workflow.deliver(parked)
    workflow.deliver(parked)


def look_for_what_was_lost(workflow: Workflow) -> None:
    """An event whose execution died, and money that no event accounts for."""
    purchase = workflow.sell(KUROS_PURCHASE, quantity=1)
    paid = session_event("completed", purchase)
    workflow.meanwhile("RecordPayment", lambda: workflow.abort(paid["id"]))
    workflow.deliver(signed(paid))
    workflow.stripe_api.events[paid["id"]] = paid
    workflow.stripe_api.checkouts.append(checkout_session(purchase, payment_intent=None))
    workflow.now += 4 * 3600
    found = workflow.invoke("reconcile", SAMPLES["reconcile"])
    assert (found["listing"], found["stuck"]) == ("done", 1)


@pytest.fixture
def used(workflow: Workflow, monkeypatch: pytest.MonkeyPatch) -> dict[str, set[tuple[str, str]]]:
    """What each function needed while everything that it can do was done."""
    user = {"user_id": "usr_mike", "display_name": "mike", "birth_month": None}
    monkeypatch.setattr(Joinmake, "_find_or_create", lambda *_: user)
    identity = Identity(player_id=player_id("tama"), expires_at=NOW + 3600)
    monkeypatch.setattr(Web3AuthVerifier, "verify_authorization", lambda *_: identity)
    workflow.invoke("authorizer", SAMPLES["authorizer"])
    use_the_api(workflow)
    use_the_pipeline(workflow)
    look_for_what_was_lost(workflow)
    return workflow.calls.used


def unused(function: Function, used: set[tuple[str, str]]) -> list[str]:
    granted = [
        (statement["Sid"], action, resource)
        for statement in function.statements
        for action in statement["Action"]
        for resource in template.as_list(statement["Resource"])
        if not action.startswith("kms:")  # DynamoDB, SQS and Secrets Manager use the key on our behalf
    ]
    return [
        f"{sid}: {action} on {resource}"
        for sid, action, resource in granted
        if not any(
            allows({"Effect": "Allow", "Action": action, "Resource": resource}, *need) for need in used
        )
    ]


def test_no_function_may_do_what_it_never_does(used: dict[str, set[tuple[str, str]]]) -> None:
    assert set(used) == set(FUNCTIONS)
    too_much = {folder: unused(function, used[folder]) for folder, function in FUNCTIONS.items()}
    assert {folder: excess for folder, excess in too_much.items() if excess} == {}


def test_a_call_that_no_policy_allows_is_refused(workflow: Workflow) -> None:
    """The engine would prove nothing if it let everything pass."""
    workflow.sell()
    with calling_as(FUNCTIONS["notify_player"]), pytest.raises(ClientError, match="AccessDenied"):
        adapters().purchases.get(MIKES_PURCHASE)


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_what_is_encrypted_can_be_read(function: Function) -> None:
    actions = {action for statement in function.statements for action in statement["Action"]}
    assert {"kms:Decrypt", "kms:GenerateDataKey"} <= actions


def test_nobody_may_do_everything() -> None:
    for function in FUNCTIONS.values():
        for statement in function.statements:
            assert not any("*" in action for action in statement["Action"]), statement
            assert "*" not in template.as_list(statement["Resource"]), statement
