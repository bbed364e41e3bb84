"""nyanko ledger"""

from typing import Annotated

import typer

from nyanko.use_cases.verify_ledger import verify_ledger
from ops.commands.options import AsJson
from ops.output import as_json, found, people, table
from ops.stages import Stage

app = typer.Typer(no_args_is_help=True, help="The books of the game.")


@app.callback()
def group() -> None:
    """Keeps `verify` a command of its own, though there is no other."""


@app.command()
def verify(
    context: typer.Context,
    *,
    player: Annotated[str | None, typer.Option(help="Only this player's.")] = None,
    json: AsJson = False,
) -> None:
    """Prove that the ledger's lines sum up to what the inventories hold. Exit 1 if they do not."""
    stage: Stage = context.obj
    holdings, unequal = verify_ledger(
        player, ledger=stage.adapters.ledger, inventory=stage.adapters.inventory
    )
    if json:
        as_json({"holdings": holdings, "unequal": unequal})
    elif unequal:
        table(
            ["player", "item", "ledger", "inventory"],
            ([one.player_id, one.item_id, one.ledger, one.inventory] for one in unequal),
        )
    else:
        people.print(f"all {holdings} holdings are what their lines sum up to")
    if unequal:
        found()
