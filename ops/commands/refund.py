"""nyanko refund"""

from time import sleep
from typing import Annotated, NoReturn

import typer

from nyanko.errors import Retryable
from nyanko.purchases import Purchase
from nyanko.refunds import MAX_METADATA, NotRefundable, Refunded, RefundedBefore, Refunding, as_recorded
from nyanko.use_cases.refund import Refund
from ops import story
from ops.commands.options import AsJson, DryRunOption, Yes
from ops.output import as_json, confirm, errors, found, people, progress, refuse, table
from ops.stages import Stage

WAITED_SECONDS = 60


def command(
    context: typer.Context,
    purchase_id: Annotated[str, typer.Argument(metavar="PURCHASE")],
    *,
    amount: Annotated[int | None, typer.Option(min=1, help="Yen; all that is left if not given.")] = None,
    email: Annotated[
        str | None, typer.Option(help="Konbini: where Stripe asks the buyer how to send the money.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Give back more, though some was given back before.")
    ] = False,
    reason_text: Annotated[str, typer.Option(help="Why, for the record; prod requires it.")] = "",
    dry_run: DryRunOption = False,
    yes: Yes = False,
    json: AsJson = False,
) -> None:
    """Refund a purchase at Stripe, wait for the webhook, and print the purchase as it is then.

    The webhook takes back the items that are no longer paid. Given twice, the command refunds once: it
    refuses to give back more without --again. Exit 1 if the refund failed, the webhook has not come, or
    Stripe did not answer and may have made it.
    """
    stage: Stage = context.obj
    if stage.name == "prod" and not dry_run and not reason_text:
        refuse("say why with --reason-text: it is kept with the refund")
    if len(reason_text) > MAX_METADATA:
        refuse(f"--reason-text has {len(reason_text)} characters; Stripe keeps {MAX_METADATA}")
    purchase = stage.adapters.purchases.get(purchase_id)
    if purchase is None:
        refuse(f"{stage.name} knows no purchase {purchase_id}")
    refund = Refund(purchases=stage.adapters.purchases, stripe=lambda: stage.adapters.stripe_refunds)
    try:
        wanted = refund.plan(purchase, amount, email, again=again)
        if dry_run:
            _foresee(wanted, purchase, json=json)
            return
        _show_known(wanted, to_errors=True)
        confirm(stage, _spoken(wanted, purchase), yes=yes)
        made = _issue(refund, wanted, reason=reason_text, operator=stage.operator[-MAX_METADATA:])
    except RefundedBefore as error:
        refuse(f"{error}. Nothing was done; to give back more, add --again")
    except NotRefundable as error:
        refuse(str(error))
    errors.print(str(made))
    with progress() as bar:
        task = bar.add_task("waiting for the webhook, seconds", total=WAITED_SECONDS)
        after, settled = refund.follow(
            purchase_id,
            made,
            WAITED_SECONDS,
            advance=lambda waited: bar.update(task, completed=waited),
            sleep=sleep,
        )
    after = after or purchase
    _tell(as_recorded(after, made) if settled else made, after, settled=settled, json=json)


def _issue(refund: Refund, wanted: Refunding, *, reason: str, operator: str) -> Refunded:
    try:
        return refund.issue(wanted, reason=reason, operator=operator)
    except Retryable as error:
        if error.code != "StripeUnavailable":
            raise
        _end(
            f"{error}: it may have made the refund all the same. `nyanko refund {wanted.purchase_id} "
            "--dry-run` shows whether it has; look before you say --again"
        )


def _spoken(wanted: Refunding, purchase: Purchase) -> str:
    return f"Refund {wanted.amount} of {purchase.facts.paid} yen of {wanted.purchase_id}"


def _show_known(wanted: Refunding, *, to_errors: bool = False) -> None:
    for one in wanted.known:
        (errors if to_errors else people).print(f"earlier: {one}")


def _foresee(wanted: Refunding, purchase: Purchase, *, json: bool) -> None:
    if json:
        as_json({"amount": wanted.amount, "email": wanted.email, "known": wanted.known})
        return
    _show_known(wanted)
    people.print(f"{_spoken(wanted, purchase)}: nothing was done yet")


def _tell(made: Refunded, purchase: Purchase, *, settled: bool, json: bool) -> None:
    standing = story.standing(purchase)
    if json:
        told = {"refund_id": made.refund_id, "amount": made.amount, "status": made.status}
        as_json({**told, "settled": settled, "purchase": standing})
    else:
        table(["", ""], standing.items())
    if not made.counts:
        _end(f"{made}: it gave nothing back; give the command again to make another")
    if not settled:
        _end(
            f"the webhook has not told of {made.refund_id} for {WAITED_SECONDS} seconds: if it does not "
            "soon, `nyanko reconcile --repair --settle 0s` fetches it"
        )
    if made.status == "pending":
        errors.print(f"the bank has yet to take {made.refund_id}; if it refuses, the purchase shows that")
    if made.status == "requires_action":
        errors.print("Stripe has written to the buyer, who says how the money is to be sent")


def _end(words: str) -> NoReturn:
    errors.print(words, style="red")
    found()
