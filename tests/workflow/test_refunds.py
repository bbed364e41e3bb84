"""`nyanko refund` against Stripe's stand-in, with the webhook in between: one intent makes one refund."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import stripe
from typer.testing import CliRunner, Result

from nyanko.errors import Retryable
from nyanko.refunds import NotRefundable
from nyanko.stripe_events import HANDLED_EVENTS
from nyanko.use_cases.refund import Refund
from ops.cli import app
from ops.output import FOUND, REFUSED
from ops.stages import Stage
from tests.data import MIKES_PURCHASE
from tests.integration.stripe_shop import Shop
from tests.stripe_events import signed
from tests.workflow import lambda_runtime
from tests.workflow.engine import Workflow
from tests.workflow.operators import stage_of_the_workflow

REQUESTS_CLIENT = stripe.RequestsClient
PAID_YEN = 1000
SECONDS_BETWEEN = 4


class Counter:
    """A shop at whose counter somebody has bought two packs for 1,000 yen, and an operator.

    `webhook` hands on what Stripe has delivered meanwhile; while the command waits, that happens by itself
    unless `webhook_is_down`.
    """

    def __init__(self, workflow: Workflow, shop: Shop, stage: Stage) -> None:
        self.workflow = workflow
        self.shop = shop
        self.stage = stage
        self.webhook_is_down = False
        self._delivered = 0
        shop.subscribe(*HANDLED_EVENTS)
        workflow.sell(quantity=2)

    def webhook(self) -> None:
        """Every event that has happened until now arrives."""
        happened = [one for one in self.shop.event_types() if one in HANDLED_EVENTS]
        arrived = self.shop.webhook.wait_for(lambda arrivals: len(arrivals) >= len(happened))
        for arrival in arrived[self._delivered :]:
            self.workflow.deliver(signed(json.loads(arrival.body)))
        self._delivered = len(arrived)

    def pay_by_card(self, card: str = "4242424242424242") -> None:
        self.shop.pay(self.shop.sell(), card)
        self.webhook()

    def pay_by_konbini(self) -> None:
        session = self.shop.sell()
        assert session.url is not None
        self.shop.post(
            session.url, {"payment_method": "konbini", "email": "mike@nyanko.test", "name": "三毛"}
        )
        payment = self.shop.session(session.id).payment_intent
        self.shop.post(f"/c/voucher/{payment}/pay")
        self.webhook()

    def refund(self, *options: str, stage: str = "stg", typed: str = "") -> Result:
        given = ["--stage", stage, "refund", MIKES_PURCHASE, "--yes", *options]
        return CliRunner().invoke(app, given, input=typed, catch_exceptions=False)

    def waited(self, _seconds: float) -> None:
        if not self.webhook_is_down:
            self.webhook()

    @property
    def payment(self) -> str:
        return str(self.workflow.purchase().facts.payment_intent)

    @property
    def refunds(self) -> list[stripe.Refund]:
        """What Stripe has, the oldest first."""
        listed = self.shop.stripe.v1.refunds.list({"payment_intent": self.payment}).data
        return listed[::-1]

    def in_the_dashboard(self, path: str) -> None:
        assert self.shop.act("POST", f"/dashboard/{path}").status_code == 200


@pytest.fixture
def counter(workflow: Workflow, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter]:
    with Shop() as shop:
        monkeypatch.setattr("stripe.RequestsClient", REQUESTS_CLIENT)
        monkeypatch.setitem(lambda_runtime.SSM_PARAMETERS, "stripe_api_url", shop.stand_in.url)
        counter = Counter(workflow, shop, stage_of_the_workflow())
        monkeypatch.setattr("ops.commands.refund.sleep", counter.waited)
        yield counter


def said(result: Result) -> str:
    return " ".join((result.stdout + result.stderr).split())


def status(counter: Counter) -> str:
    answered = counter.workflow.purchase().facts
    return f"{answered.paid - answered.refunded} yen kept"


# ─── One intent, one refund ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("options", [("--amount", "300"), ()])
def test_the_same_command_twice_makes_one_refund_and_says_so(
    counter: Counter, options: tuple[str, ...]
) -> None:
    counter.pay_by_card()
    first = counter.refund(*options)
    counter.webhook()
    counter.shop.clock.ahead += SECONDS_BETWEEN
    second = counter.refund(*options)
    [made] = counter.refunds
    assert (first.exit_code, second.exit_code) == (0, REFUSED)
    assert f"{made.id} of {made.amount} yen, succeeded" in said(second)
    assert status(counter) == f"{PAID_YEN - made.amount} yen kept"


def test_a_refund_that_our_facts_do_not_know_yet_is_seen_at_stripe(counter: Counter) -> None:
    counter.pay_by_card()
    counter.webhook_is_down = True
    first = counter.refund("--amount", "300")
    assert (first.exit_code, counter.workflow.purchase().facts.refunds) == (FOUND, {})
    second = counter.refund("--amount", "300")
    assert (second.exit_code, len(counter.refunds)) == (REFUSED, 1)
    assert f"{counter.refunds[0].id} of 300 yen, succeeded" in said(second)
    assert "Nothing was done; to give back more, add --again" in said(second)


def test_two_who_refund_at_once_for_different_reasons_make_one_refund(counter: Counter) -> None:
    counter.pay_by_card()
    refund = use_case(counter)
    plans = [refund.plan(counter.workflow.purchase(), 300, None, again=False) for _ in range(2)]
    refund.issue(plans[0], reason="at once", operator="tama")
    with pytest.raises(NotRefundable, match="give the command again to see it"):
        refund.issue(plans[1], reason="just now", operator="mike")
    assert len(counter.refunds) == 1


def test_an_answer_that_stripe_repeats_is_not_taken_for_the_refund_as_it_is(counter: Counter) -> None:
    counter.pay_by_card()
    refund = use_case(counter)
    plan = refund.plan(counter.workflow.purchase(), None, None, again=False)
    made = refund.issue(plan, reason="", operator="tama")
    counter.in_the_dashboard(f"refunds/{made.refund_id}/fail")
    assert refund.issue(plan, reason="", operator="tama").status == "failed"


def test_more_is_given_back_only_when_it_is_said(counter: Counter) -> None:
    counter.pay_by_card()
    counter.refund("--amount", "300")
    assert counter.refund("--amount", "200").exit_code == REFUSED
    assert counter.refund("--amount", "200", "--again").exit_code == 0
    assert [one.amount for one in counter.refunds] == [300, 200]
    assert counter.refund("--again").exit_code == 0
    assert [one.amount for one in counter.refunds] == [300, 200, 500]
    assert "has been refunded already" in said(counter.refund("--again"))
    assert status(counter) == "0 yen kept"


@pytest.mark.parametrize("webhook_is_down", [False, True])
def test_a_refund_that_failed_does_not_count(counter: Counter, *, webhook_is_down: bool) -> None:
    """Within 24 hours, in which Stripe repeats its answer to a key."""
    counter.pay_by_card()
    counter.refund()
    counter.in_the_dashboard(f"refunds/{counter.refunds[0].id}/fail")
    if not webhook_is_down:
        counter.webhook()
        assert counter.workflow.inventory() == {"cat_food": 20, "toy_mouse": 2}
    again = counter.refund()
    counter.webhook()
    assert again.exit_code == 0
    assert [one.status for one in counter.refunds] == ["failed", "succeeded"]
    assert counter.workflow.inventory() == {"cat_food": 0, "toy_mouse": 0}


def test_a_konbini_refund_to_a_mistyped_address_is_cancelled_and_made_to_the_right_one(
    counter: Counter,
) -> None:
    counter.pay_by_konbini()
    first = counter.refund("--email", "mkie@nyanko.test")
    assert first.exit_code == 0
    assert "Stripe has written to the buyer" in said(first)
    other = counter.refund("--email", "mike@nyanko.test")
    assert (other.exit_code, len(counter.refunds)) == (REFUSED, 1)
    assert "requires_action" in said(other)
    counter.shop.stripe.v1.refunds.cancel(counter.refunds[0].id)
    counter.webhook()
    assert counter.refund("--email", "mike@nyanko.test").exit_code == 0
    assert [(one.status, one.instructions_email) for one in counter.refunds] == [
        ("canceled", "mkie@nyanko.test"),
        ("requires_action", "mike@nyanko.test"),
    ]


def test_a_refund_that_was_refused_is_made_once_the_reason_has_passed(counter: Counter) -> None:
    """Within 24 hours, in which Stripe repeats its refusal."""
    counter.pay_by_card()
    payment = counter.shop.stripe.v1.payment_intents.retrieve(counter.payment)
    counter.in_the_dashboard(f"charges/{payment.latest_charge}/disputes")
    answers = [counter.refund() for _ in range(2)]
    assert [answer.exit_code for answer in answers] == [REFUSED, REFUSED]
    assert all("has been charged back; cannot issue a refund" in said(answer) for answer in answers)
    [dispute] = counter.shop.stripe.v1.disputes.list({"payment_intent": counter.payment}).data
    counter.in_the_dashboard(f"disputes/{dispute.id}/win")
    counter.webhook()
    assert counter.refund().exit_code == 0
    assert [one.amount for one in counter.refunds] == [PAID_YEN]


def test_a_refund_whose_answer_was_lost_is_told_to_be_looked_for(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter.pay_by_card()
    create = stripe.RefundService.create

    def lost(*given: Any, **named: Any) -> None:
        create(*given, **named)
        raise made(stripe.APIConnectionError, "reset")

    with monkeypatch.context() as patched:
        patched.setattr("stripe.RefundService.create", lost)
        answer = counter.refund("--amount", "300")
    assert (answer.exit_code, len(counter.refunds)) == (FOUND, 1)
    assert "it may have made the refund all the same" in said(answer)
    assert counter.refunds[0].id in said(counter.refund("--dry-run", "--again"))


def test_a_refund_that_fails_while_its_webhook_is_awaited_is_told_as_failed(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter.pay_by_card()

    def fails(_seconds: float) -> None:
        counter.in_the_dashboard(f"refunds/{counter.refunds[0].id}/fail")
        counter.webhook()

    monkeypatch.setattr("ops.commands.refund.sleep", fails)
    answer = counter.refund()
    assert answer.exit_code == FOUND
    assert "failed: it gave nothing back" in said(answer)


# ─── What the command says ──────────────────────────────────────────────────────────────────────────────────


def test_the_command_waits_for_the_webhook_and_prints_the_purchase_as_it_is_then(counter: Counter) -> None:
    counter.pay_by_card()
    printed = counter.refund("--json", "--amount", "500").stdout
    told = json.loads(printed[printed.index("{\n") :])  # after the lines of the functions' log
    [made] = counter.refunds
    assert {name: told[name] for name in ("refund_id", "amount", "status", "settled")} == {
        "refund_id": made.id,
        "amount": 500,
        "status": "succeeded",
        "settled": True,
    }
    assert (told["purchase"]["status"], told["purchase"]["granted"]) == ("partially_refunded", 1)
    assert counter.workflow.inventory() == {"cat_food": 10, "toy_mouse": 1}


def test_a_webhook_that_does_not_come_is_told_and_is_exit_1(counter: Counter) -> None:
    counter.pay_by_card()
    counter.webhook_is_down = True
    answer = counter.refund("--amount", "300")
    assert answer.exit_code == FOUND
    assert f"the webhook has not told of {counter.refunds[0].id} for 60 seconds" in said(answer)
    assert "reconcile --repair" in said(answer)


def test_why_and_by_whom_stands_with_the_refund(counter: Counter) -> None:
    counter.pay_by_card()
    counter.refund("--amount", "300", "--reason-text", "猫が踏んだ")
    [made] = counter.refunds
    kept: dict[str, Any] = made.to_dict()["metadata"]
    assert (kept["purchase_id"], kept["reason"]) == (MIKES_PURCHASE, "猫が踏んだ")
    assert kept["operator"].startswith("arn:aws:")


def test_a_dry_run_says_what_would_be_done_and_does_nothing(counter: Counter) -> None:
    counter.pay_by_card()
    counter.refund("--amount", "300")
    answer = counter.refund("--again", "--dry-run")
    assert answer.exit_code == 0
    assert f"earlier: {counter.refunds[0].id} of 300 yen, succeeded" in said(answer)
    assert "Refund 700 of 1000 yen" in said(answer)
    foreseen = json.loads(counter.refund("--again", "--dry-run", "--json").stdout)
    assert (foreseen["amount"], len(foreseen["known"])) == (700, 1)
    assert len(counter.refunds) == 1


@pytest.mark.parametrize("typed", ["n\n", ""])
def test_a_question_that_is_not_answered_with_yes_is_exit_2_and_does_nothing(
    counter: Counter, typed: str
) -> None:
    counter.pay_by_card()
    answer = CliRunner().invoke(app, ["--stage", "stg", "refund", MIKES_PURCHASE], input=typed)
    assert (answer.exit_code, counter.refunds) == (REFUSED, [])
    assert "nothing was done" in said(answer)


def test_prod_wants_a_reason_for_a_refund(counter: Counter) -> None:
    answer = counter.refund(stage="prod")
    assert (answer.exit_code, "--reason-text" in answer.stderr) == (REFUSED, True)


def test_a_reason_that_stripe_cannot_keep_is_refused(counter: Counter) -> None:
    answer = counter.refund("--reason-text", "x" * 501)
    assert (answer.exit_code, "Stripe keeps 500" in said(answer)) == (REFUSED, True)


# ─── Refusals ───────────────────────────────────────────────────────────────────────────────────────────────


def test_what_was_not_paid_is_not_refunded(counter: Counter) -> None:
    answer = counter.refund()
    assert (answer.exit_code, "was not paid" in said(answer)) == (REFUSED, True)


@pytest.mark.parametrize("amount", ["1001", "700"])
def test_no_more_is_refunded_than_is_left(counter: Counter, amount: str) -> None:
    counter.pay_by_card()
    counter.refund("--amount", "400")
    answer = counter.refund("--amount", amount, "--again")
    assert (answer.exit_code, len(counter.refunds)) == (REFUSED, 1)
    assert f"has 600 yen left to refund, not {amount}" in said(answer)


def made(kind: Callable[..., stripe.StripeError], *given: str) -> stripe.StripeError:
    """An error whose class the SDK does not type."""
    return kind(*given)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (made(stripe.APIConnectionError, "no route"), "Stripe could not be reached"),
        (stripe.RateLimitError("slow down"), "Stripe could not be reached"),
        (stripe.APIError("oops", http_status=500), "Stripe answered 500"),
        (stripe.AuthenticationError("sk_test_****"), "Stripe does not know the stored API key"),
        (stripe.PermissionError("Having rak_refund_write would help"), "Stripe's key lacks rak_refund_write"),
        (
            made(stripe.CardError, "the card is closed", "", "card_closed"),
            "Stripe refuses: the card is closed",
        ),
        (made(stripe.InvalidRequestError, "no such thing", "id"), "Stripe refuses: no such thing"),
        (stripe.IdempotencyError("another request"), "give the command again to see it"),
        (stripe.InsufficientFundsError("no funds"), "Stripe refuses: no funds"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_every_error_of_stripes_is_a_sentence(
    counter: Counter, monkeypatch: pytest.MonkeyPatch, error: stripe.StripeError, words: str
) -> None:
    counter.pay_by_card()

    def refused(*_given: object, **_named: object) -> None:
        raise error

    monkeypatch.setattr("stripe.RefundService.create", refused)
    answer = counter.refund()
    lost = (
        isinstance(error, stripe.APIConnectionError | stripe.RateLimitError) or type(error) is stripe.APIError
    )
    assert answer.exit_code == (FOUND if lost else REFUSED)
    assert words in said(answer)


def test_while_stripe_does_not_answer_nothing_is_planned(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter.pay_by_card()
    monkeypatch.setattr("stripe.HTTPClient._sleep_time_seconds", lambda *_given: 0)
    counter.shop.stand_in.stop()
    try:
        with pytest.raises(Retryable, match="could not be reached"):
            use_case(counter).plan(counter.workflow.purchase(), None, None, again=False)
    finally:
        counter.shop.stand_in.stop = lambda: None  # type: ignore[method-assign] # it has stopped


def use_case(counter: Counter) -> Refund:
    adapters = counter.stage.adapters
    stripe_refunds: Callable[[], Any] = lambda: adapters.stripe_refunds  # noqa: E731
    return Refund(purchases=adapters.purchases, stripe=stripe_refunds)
