"""nyanko webhook"""

from typing import Annotated

import typer

from ops import webhook
from ops.commands.options import Yes, now
from ops.output import confirm, errors, people, refuse
from ops.stages import Stage
from ops.webhook import NotYet

app = typer.Typer(no_args_is_help=True, help="Stripe's webhook endpoint.")


@app.command()
def sync(context: typer.Context, *, yes: Yes = False) -> None:
    """Create or update the endpoint: its URL, the events that we handle, our API version; keep its secret."""
    stage: Stage = context.obj
    confirm(stage, f"Make Stripe send its events to {stage.webhook_url}", yes=yes)
    try:
        people.print(webhook.sync(stage))
    except NotYet as error:
        refuse(str(error))


@app.command()
def roll(
    context: typer.Context,
    *,
    finish: Annotated[
        bool, typer.Option("--finish", help="End it: the old secret is accepted no more.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Give the endpoint a new secret in two steps, between which the old one is accepted too."""
    stage: Stage = context.obj
    confirm(stage, "Forget the old secret" if finish else "Begin to sign with a new secret", yes=yes)
    try:
        if finish:
            people.print(f"deleted {', '.join(webhook.finish(stage, now()))}; one secret is left")
            return
        errors.print("the functions learn the new secret before it is used: this takes five minutes")
        people.print(f"{webhook.roll(stage)} signs too; once all is well: webhook roll --finish")
    except NotYet as error:
        refuse(str(error))
