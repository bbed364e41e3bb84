"""A state machine as a drawing: its states in the order in which they can be reached, and the way one went.

A state stands one row below the lowest state that leads to it. It takes the first free column of its row from
its leftmost predecessor's on, the way without errors first; one that is reached over several rows stands
beyond all columns in between, so that no line runs through another state.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from nyanko.executions import FAILED, PARKING_STATE

Mark = Literal["", "passed", "failed"]

WIDTH, HEIGHT = 150, 40
"""Of a state's box; all lengths are in the drawing's own unit."""
GAP_X, GAP_Y, MARGIN = 50, 34, 12


@dataclass(frozen=True, slots=True)
class Node:
    """`x` and `y` are of the box's upper left corner."""

    name: str
    type: str
    x: int
    y: int
    mark: Mark


@dataclass(frozen=True, slots=True)
class Edge:
    """`d` is an SVG path's; `caught` edges are taken after an error."""

    source: str
    target: str
    d: str
    caught: bool
    passed: bool


@dataclass(frozen=True, slots=True)
class Graph:
    width: int
    height: int
    nodes: list[Node]
    edges: list[Edge]


def draw(definition: Mapping[str, Any], path: Sequence[str], status: str | None) -> Graph:
    """The definition's states, marked by the path and status of an execution, if there is one."""
    states: Mapping[str, Any] = definition["States"]
    edges = [(source, *edge) for source, state in states.items() for edge in _transitions(state)]
    places = _places(definition["StartAt"], states, edges)
    failed = _failed(path, status)
    nodes = [
        Node(
            name=name,
            type=states[name]["Type"],
            x=MARGIN + column * (WIDTH + GAP_X),
            y=MARGIN + row * (HEIGHT + GAP_Y),
            mark="failed" if name in failed else "passed" if name in path else "",
        )
        for name, (row, column) in places.items()
    ]
    by_name = {node.name: node for node in nodes}
    went = set(pairwise(path))
    return Graph(
        width=max(node.x for node in nodes) + WIDTH + MARGIN,
        height=max(node.y for node in nodes) + HEIGHT + MARGIN,
        nodes=nodes,
        edges=[
            Edge(source, target, _line(by_name[source], by_name[target]), caught, (source, target) in went)
            for source, target, caught in edges
            if source in places
        ],
    )


def _transitions(state: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """Where a state leads, and whether after an error."""
    targets = [choice["Next"] for choice in state.get("Choices", [])]
    targets += [state[name] for name in ("Next", "Default") if name in state]
    yield from ((target, False) for target in dict.fromkeys(targets))
    caught = [catch["Next"] for catch in state.get("Catch", [])]
    yield from ((target, True) for target in dict.fromkeys(caught) if target not in targets)


def _places(
    start: str, states: Mapping[str, Any], edges: Sequence[tuple[str, str, bool]]
) -> dict[str, tuple[int, int]]:
    """Row and column of every state that can be reached; of states that lead to each other the rows are
    those after as many steps as there are states."""
    rows = {start: 0}
    for _ in states:
        for source, target, _caught in edges:
            if source in rows and rows.get(target, -1) <= rows[source] < len(states):
                rows[target] = rows[source] + 1
    main = _main(start, edges)
    places: dict[str, tuple[int, int]] = {}
    for name in sorted(rows, key=lambda name: (rows[name], name not in main, name)):
        sources = [source for source, target, _ in edges if target == name and source in places]
        column = min((places[source][1] for source in sources), default=0)
        highest = min((places[source][0] for source in sources), default=rows[name])
        in_the_way = {taken for row, taken in places.values() if highest < row < rows[name]}
        in_the_way |= {taken for row, taken in places.values() if row == rows[name]}
        while column in in_the_way:
            column += 1
        places[name] = (rows[name], column)
    return places


def _main(start: str, edges: Sequence[tuple[str, str, bool]]) -> list[str]:
    """The states on the way on which nothing fails and the first choice is taken."""
    way = [start]
    while True:
        ahead = [target for source, target, caught in edges if source == way[-1] and not caught]
        if not ahead or ahead[0] in way:
            return way
        way.append(ahead[0])


def _failed(path: Sequence[str], status: str | None) -> set[str]:
    """The state that an execution failed in: the one before its event was parked, or else its last."""
    if status not in FAILED or not path:
        return set()
    if status == "FAILED" and PARKING_STATE in path:
        return {path[path.index(PARKING_STATE) - 1]}
    return {path[-1]}


def _line(source: Node, target: Node) -> str:
    """Straight down within a column; else out of the box's side and into the other from above."""
    to_x, to_y = target.x + WIDTH // 2, target.y
    if source.x == target.x:
        return f"M{source.x + WIDTH // 2} {source.y + HEIGHT} L{to_x} {to_y}"
    from_x = source.x + (WIDTH if target.x > source.x else 0)
    from_y = source.y + HEIGHT // 2
    return f"M{from_x} {from_y} C{to_x} {from_y} {to_x} {from_y} {to_x} {to_y}"
