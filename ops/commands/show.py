"""nyanko show"""

from typing import Annotated

import typer

from nyanko.executions import event_id_of
from ops import story
from ops.commands.options import AsJson
from ops.output import as_json, people, refuse, table
from ops.stages import Stage
from ops.story import EventStory, NothingFound, PlayerStory, PurchaseStory, clock


def command(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="An event, a purchase, an execution or a player.")],
    *,
    body: Annotated[
        bool, typer.Option("--body", help="Print the event's raw body and nothing else.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Tell everything that is known of one event, purchase, execution or player, in the order of time."""
    stage: Stage = context.obj
    try:
        _show(stage, name, body=body, json=json)
    except NothingFound as error:
        refuse(str(error))


def _show(stage: Stage, name: str, *, body: bool, json: bool) -> None:
    noun = story.noun_of(name)
    if noun == "player":
        player = story.of_player(stage, name)
        as_json(player) if json else show_player(player)
        return
    if noun == "purchase":
        purchase = story.of_purchase(stage, name)
        as_json(purchase) if json else show_purchase(purchase)
        return
    event = story.of_event(stage, event_id_of(name))
    if body:
        print((event.row.body or event.row.unverified_body) if event.row else "")
        return
    if json:
        as_json(event)
        return
    show_event(event)
    if event.row and event.row.purchase_id:
        show_purchase(story.of_purchase(stage, event.row.purchase_id))


def show_event(event: EventStory) -> None:
    people.print(event.event_id, style="bold")
    row = event.row
    known: dict[str, str | None] = (
        {
            "type": row.type,
            "state": row.state,
            "parked_reason": row.parked_reason,
            "cause": row.cause,
            "execution": row.execution,
        }
        if row
        else {"state": "gone: only its executions are known"}
    )
    table(["", ""], ([name, value] for name, value in known.items() if value))
    table(
        ["execution", "status", "states"],
        ([one.name, one.status, " → ".join(one.path)] for one in event.executions),
    )
    if event.replays:
        table(
            ["replay", "by", "at", "because"],
            ([one.execution, one.by, clock(one.at), one.reason] for one in event.replays),
        )


def show_purchase(purchase: PurchaseStory) -> None:
    people.print(purchase.purchase.purchase_id, style="bold")
    table(["", ""], story.standing(purchase.purchase).items())
    table(
        ["when", "what", ""],
        ([clock(one.at), one.what, one.detail] for one in story.moments(purchase)),
    )


def show_player(player: PlayerStory) -> None:
    people.print(player.player_id, style="bold")
    table(["item", "quantity"], player.inventory.items())
    table(
        ["when", "purchase", "pack", "yen", "status"],
        (
            [
                clock(one.created_at),
                one.purchase_id,
                one.product.product_id,
                one.amount,
                story.standing(one)["status"],
            ]
            for one in player.purchases
        ),
    )
    table(
        ["when", "line", "item", "change"],
        ([clock(one.at), one.line_id, one.item_id, f"{one.delta:+}"] for one in player.ledger),
    )
