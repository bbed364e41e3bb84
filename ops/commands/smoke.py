"""nyanko smoke"""

from typing import Annotated

import typer

from ops import smoke
from ops.output import FOUND, people, refuse, table
from ops.smoke import Broken
from ops.stages import Stage


def command(
    context: typer.Context,
    *,
    version: Annotated[str | None, typer.Option(help="What GET /health has to report.")] = None,
    buy: Annotated[
        bool, typer.Option("--buy", help="Buy the cheapest product in Stripe's test mode instead.")
    ] = False,
) -> None:
    """Try a deployment: what it answers from outside or, with --buy, whether paid means granted."""
    stage: Stage = context.obj
    if buy:
        try:
            purchase = smoke.buy(stage, smoke.payment_in_test_mode(stage))
        except Broken as error:
            refuse(str(error))
        people.print(f"bought {purchase['purchase_id']} in test mode: {purchase['status']}")
        return
    url = f"https://{stage.parameter('rest_domain')}"
    looks = [*smoke.look(url, smoke.direct_url(stage), version), *smoke.look_at_stripe(stage)]
    table(["", "", "seen"], [("✓" if look.well else "✗", look.what, look.seen) for look in looks])
    if not all(look.well for look in looks):
        raise typer.Exit(FOUND)
