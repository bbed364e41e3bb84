"""nyanko catalog"""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ops.catalog import CatalogError, Change, changes, read_catalog
from ops.commands.options import DryRunOption, Yes
from ops.output import confirm, found, people, refuse, table
from ops.stages import Stage

app = typer.Typer(no_args_is_help=True, help="What is for sale.")

ROOT = Path(__file__).parents[2]
CatalogFile = Annotated[Path, typer.Option("--file", help="The catalog.")]


@app.command()
def diff(context: typer.Context, file: CatalogFile = ROOT / "catalog.yaml") -> None:
    """Show what `apply` would change; exit 1 if there is anything."""
    changed = _changes(context.obj, file)
    _show(changed)
    if changed:
        found()


@app.command()
def apply(
    context: typer.Context,
    *,
    file: CatalogFile = ROOT / "catalog.yaml",
    dry_run: DryRunOption = False,
    yes: Yes = False,
) -> None:
    """Make the products table say what the catalog says.

    Sessions that are open keep the price and items they were opened with.
    """
    stage: Stage = context.obj
    changed = _changes(stage, file)
    _show(changed)
    if dry_run or not changed:
        return
    confirm(stage, f"Write {len(changed)} products", yes=yes)
    for change in changed:
        stage.adapters.products.put(change.after)
    people.print(f"{len(changed)} products written to {stage.name}")


def _changes(stage: Stage, file: Path) -> list[Change]:
    try:
        return changes(stage.adapters.products.all(), read_catalog(file.read_text()))
    except FileNotFoundError:
        refuse(f"there is no {file}; name the catalog with --file")
    except CatalogError as error:
        refuse(f"{file} cannot be applied:\n{error}")


def _show(changed: list[Change]) -> None:
    if not changed:
        people.print("the products are as the catalog says")
        return
    rows = []
    for change in changed:
        before = asdict(change.before) if change.before else {}
        for field, value in asdict(change.after).items():
            if before.get(field) != value:
                rows.append([change.after.product_id, field, before.get(field, ""), value])
    table(["product", "field", "now", "then"], rows)
