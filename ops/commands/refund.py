"""nyanko refund"""

from typing import Annotated

import typer

from nyanko.refunds import NotRefundable, check_refund
from nyanko.use_cases.refund import refund
from ops.commands.options import AsJson, Yes
from ops.output import as_json, confirm, people, refuse
from ops.stages import Stage


def command(
    context: typer.Context,
    purchase_id: Annotated[str, typer.Argument(metavar="PURCHASE")],
    *,
    amount: Annotated[int | None, typer.Option(min=1, help="Yen; all that is left if not given.")] = None,
    email: Annotated[
        str | None, typer.Option(help="Konbini: where Stripe asks the buyer how to send the money.")
    ] = None,
    yes: Yes = False,
    json: AsJson = False,
) -> None:
    """Refund a purchase at Stripe. Its webhook then takes back the items that are no longer paid."""
    stage: Stage = context.obj
    purchase = stage.adapters.purchases.get(purchase_id)
    if purchase is None:
        refuse(f"{stage.name} knows no purchase {purchase_id}")
    try:
        yen = check_refund(purchase, amount)
        confirm(stage, f"Refund {yen} of {purchase.facts.paid} yen of {purchase_id}", yes=yes)
        made = refund(purchase, yen, email, stripe=stage.adapters.stripe_refunds)
    except NotRefundable as error:
        refuse(str(error))
    if json:
        as_json(made)
    else:
        people.print(f"{made.refund_id}: {made.amount} yen, {made.status}; the webhook does the rest")
