"""nyanko webhook"""

from typing import Annotated

import typer

from nyanko.endpoints import NotYet
from ops import webhook
from ops.commands.options import Yes, now
from ops.output import confirm, errors, people, refuse
from ops.stages import Stage

app = typer.Typer(no_args_is_help=True, help="Stripe's webhook endpoint.")


@app.command()
def sync(context: typer.Context, *, yes: Yes = False) -> None:
    """Create or update the endpoint: its URL, the events that we handle, our API version; keep its secret.

    Can be repeated, also after it was interrupted. Says where Stripe's API versions differ.
    """
    stage: Stage = context.obj
    confirm(stage, f"Make Stripe send its events to {stage.webhook_url}", yes=yes)
    try:
        people.print(webhook.endpoint_of(stage, _say).sync())
    except NotYet as error:
        refuse(str(error))
    versions = webhook.versions(stage)
    for difference in versions.differences if versions else []:
        people.print(difference)


@app.command()
def roll(
    context: typer.Context,
    *,
    finish: Annotated[
        bool, typer.Option("--finish", help="End it: the old secret is accepted no more.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Give the endpoint a new secret in two steps, between which the old one is accepted too.

    Each step can be repeated, and goes on where it was interrupted.
    """
    stage: Stage = context.obj
    confirm(stage, "Forget the old secret" if finish else "Begin to sign with a new secret", yes=yes)
    endpoint = webhook.endpoint_of(stage, _say)
    try:
        if finish:
            gone = endpoint.finish(now())
            people.print(f"deleted {', '.join(gone)}" if gone else "no old endpoint is left")
            people.print("one secret is in force")
        else:
            people.print(f"{endpoint.roll()} signs too; once all is well: webhook roll --finish")
    except NotYet as error:
        refuse(str(error))


def _say(what: str) -> None:
    errors.print(what, style="dim")
