"""Commands of `nyanko`."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from nyanko.adapters.dynamodb_products import Products
from ops.catalog import CatalogError, Change, changes, read_catalog
from ops.stages import STAGES, Stage, StageError, open_stage

app = typer.Typer(no_args_is_help=True, help="Operate the cat game's shop.", pretty_exceptions_enable=False)
catalog_app = typer.Typer(no_args_is_help=True, help="What is for sale.")
app.add_typer(catalog_app, name="catalog")
console = Console()
errors = Console(stderr=True)

CatalogFile = Annotated[Path, typer.Option("--file", help="The catalogue.")]
ROOT = Path(__file__).parent.parent


@app.callback()
def choose_stage(
    context: typer.Context,
    stage: Annotated[str, typer.Option(help=f"One of {', '.join(STAGES)}.")],
    local_dir: Annotated[Path, typer.Option(envvar="NYANKO_LOCAL_DIR", help="Of the local stack.")] = Path(
        ".local"
    ),
) -> None:
    if stage not in STAGES:
        _stop(f"there is no stage {stage}; choose one of {', '.join(STAGES)}")
    try:
        context.obj = open_stage(stage, local_dir)
    except StageError as error:
        _stop(str(error))


@catalog_app.command("diff")
def catalog_diff(context: typer.Context, file: CatalogFile = ROOT / "catalog.yaml") -> None:
    """Show what `apply` would change; exit 1 if there is anything."""
    found = _changes(context.obj, file)
    _show(found)
    if found:
        raise typer.Exit(1)


@catalog_app.command("apply")
def catalog_apply(
    context: typer.Context,
    *,
    file: CatalogFile = ROOT / "catalog.yaml",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Make the products table say what the catalogue says.

    Sessions that are open keep the price and items they were opened with.
    """
    stage: Stage = context.obj
    found = _changes(stage, file)
    _show(found)
    if dry_run or not found:
        return
    if stage.name == "prod":
        if typer.prompt("Type the stage's name to change its prices") != "prod":
            _stop("nothing was changed")
    elif not yes:
        typer.confirm(f"Write {len(found)} products to {stage.name}?", abort=True)
    products = _products(stage)
    for change in found:
        products.put(change.after)
    console.print(f"{len(found)} products written to {stage.name}")


def _changes(stage: Stage, file: Path) -> list[Change]:
    try:
        return changes(_products(stage).all(), read_catalog(file.read_text()))
    except FileNotFoundError:
        _stop(f"there is no {file}; name the catalogue with --file")
    except CatalogError as error:
        _stop(f"{file} cannot be applied:\n{error}")


def _products(stage: Stage) -> Products:
    return Products(stage.client("dynamodb"), stage.table("products"))


def _show(found: list[Change]) -> None:
    if not found:
        console.print("the products are as the catalogue says")
        return
    table = Table("product", "field", "now", "then")
    for change in found:
        before = asdict(change.before) if change.before else {}
        for field, value in asdict(change.after).items():
            if before.get(field) != value:
                table.add_row(change.after.product_id, field, str(before.get(field, "")), str(value))
    console.print(table)


def _stop(reason: str) -> NoReturn:
    errors.print(reason, style="red")
    raise typer.Exit(2)
