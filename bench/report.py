"""Figures as tables, and their places in a document.

A place is what stands between `<!-- cold start -->` and `<!-- end -->`: prose around it is written by hand.
"""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from local.names import ROOT

PERFORMANCE = ROOT / "docs" / "performance.md"


@dataclass(frozen=True, slots=True)
class Spread:
    """What was measured several times; the runs of a pair are interleaved, so that noise meets both."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> "Spread":
        return cls(min(figures), median(figures), max(figures))

    def __str__(self) -> str:
        return f"{_rounded(self.median)} ({_rounded(self.low)} to {_rounded(self.high)})"


def once(command: str, python: str = platform.python_version()) -> str:
    """How figures that depend on the machine came about."""
    machine = f"{os.cpu_count()} shared cores, {platform.machine()}, Python {python}"
    return f"`{command}`, {datetime.now(UTC):%Y-%m-%d}: {machine}."


def _rounded(figure: float) -> str:
    """To three digits, or to a whole number with as many as it has."""
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"


def taken(command: str, python: str = platform.python_version()) -> str:
    """The same, for figures that were measured several times."""
    return f"{once(command, python)} Medians, with the lowest and the highest."


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Markdown, with every column but the first one aligned to the right."""
    rules = [":--", *("--:" for _ in columns[1:])]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in (columns, rules, *rows))


def write(document: Path, place: str, figures: str) -> None:
    """Put the figures in their place of the document; raises `ValueError` if it has no such place."""
    text = document.read_text()
    start, end = f"<!-- {place} -->\n", "<!-- end -->"
    before, found, rest = text.partition(start)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{document.name} has no place {start.strip()} … {end}")
    document.write_text(f"{before}{start}\n{figures}\n\n{end}{after}")
