"""`nyanko`: operate the shop of a stage. The commands are in `ops/commands`."""

from pathlib import Path
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError
from stripe import StripeError
from typer.core import TyperGroup

from nyanko.errors import Retryable
from ops.commands import (
    catalog,
    console,
    dlq,
    ledger,
    parked,
    reconcile,
    refund,
    replay,
    show,
    smoke,
    webhook,
)
from ops.output import refuse
from ops.stages import STAGES, StageError, aws_stage, local_stage


class Nyanko(TyperGroup):
    """Ends with a sentence instead of a traceback when a stage cannot be reached or refuses."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 typer's own context
        try:
            return super().invoke(ctx)
        except (StageError, Retryable, BotoCoreError, ClientError, StripeError) as error:
            refuse(str(error))


app = typer.Typer(
    cls=Nyanko,
    no_args_is_help=True,
    help="Operate the cat game's shop. Exit codes: 0 all is well, 1 something was found or did not come out "
    "well, 2 the command could not be done.",
    pretty_exceptions_enable=False,
)
app.command("parked")(parked.command)
app.command("show")(show.command)
app.command("replay")(replay.command)
app.add_typer(dlq.app, name="dlq")
app.command("reconcile")(reconcile.command)
app.command("refund")(refund.command)
app.add_typer(ledger.app, name="ledger")
app.add_typer(webhook.app, name="webhook")
app.add_typer(catalog.app, name="catalog")
app.command("console")(console.command)
app.command("smoke")(smoke.command)


@app.callback()
def choose_stage(
    context: typer.Context,
    stage: Annotated[str, typer.Option(help=f"One of {', '.join(STAGES)}.")],
    profile: Annotated[
        str | None, typer.Option(envvar="AWS_PROFILE", help="Of the AWS configuration.")
    ] = None,
    region: Annotated[str, typer.Option(envvar="AWS_REGION", help="Where the stage is.")] = "ap-northeast-1",
    local_dir: Annotated[Path, typer.Option(envvar="NYANKO_LOCAL_DIR", help="Of the local stack.")] = Path(
        ".local"
    ),
) -> None:
    if stage not in STAGES:
        refuse(f"there is no stage {stage}; choose one of {', '.join(STAGES)}")
    context.obj = local_stage(local_dir) if stage == "local" else aws_stage(stage, profile, region)
