"""What can be made to go wrong with webhook deliveries, and with calls of the API, on request.

`PUT /dashboard/chaos` takes a JSON object and starts from a clean state; `DELETE` ends it, `GET` shows it:

duplicate    integer: how many times more each new event is delivered
reorder      integer from 2, or true for 5: within each so many new events, deliver in another order
delay        seconds: how much later each attempt is made
drop         0 to 1: how likely an attempt is lost on its way; a lost one is repeated like a refused one
drop_next    integer: lose the next so many attempts
wrong_key    integer: sign the next so many attempts with a key that is not the endpoint's
rate_limit   integer: answer the next so many API calls with 429, before they do anything
clock_skew   seconds, may be negative: how far the signature's time is off
seed         integer: makes `drop` and `reorder` repeatable
"""

import random
from dataclasses import asdict, dataclass, field
from typing import Any

from local.stripe.params import Params, Parser, Raw, between, boolean, decimal, fields, integer

SPACING_SECONDS = 0.2
"""Between two deliveries that `reorder` has swapped, so that their order also shows at the receiver."""

DEFAULT_WINDOW = 5


def _window(raw: Raw, name: str) -> int:
    if raw in ("true", "false"):
        return DEFAULT_WINDOW if boolean(raw, name) else 0
    window: int = between(2, 100)(raw, name)
    return window


_PARSE: Parser = fields(
    {
        "duplicate": between(0, 100),
        "reorder": _window,
        "delay": decimal(0, 3600),
        "drop": decimal(0, 1),
        "drop_next": between(0, 1_000_000),
        "wrong_key": between(0, 1_000_000),
        "rate_limit": between(0, 1_000_000),
        "clock_skew": integer,
        "seed": integer,
    }
)


@dataclass(slots=True)
class Chaos:
    duplicate: int = 0
    reorder: int = 0
    delay: float = 0.0
    drop: float = 0.0
    drop_next: int = 0
    wrong_key: int = 0
    rate_limit: int = 0
    clock_skew: int = 0
    seed: int | None = None
    _random: random.Random = field(init=False)
    _slots: list[int] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 it decides no secret

    @classmethod
    def parse(cls, params: dict[str, Raw]) -> "Chaos":
        """Raises `ApiError` for an unknown name or a value out of range."""
        chosen: Params = _PARSE(params, "")
        return cls(**chosen)

    def shown(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if not name.startswith("_")}

    def detour(self) -> float:
        """How much later a new event leaves, in seconds, to take another place within its window."""
        if self.reorder < 2:
            return 0.0
        if not self._slots:
            in_order = list(range(self.reorder))
            self._slots = in_order.copy()
            while self._slots == in_order:
                self._random.shuffle(self._slots)
        return self._slots.pop(0) * SPACING_SECONDS

    def loses_attempt(self) -> bool:
        if self.drop_next:
            self.drop_next -= 1
            return True
        return self._random.random() < self.drop

    def limits_rate(self) -> bool:
        if not self.rate_limit:
            return False
        self.rate_limit -= 1
        return True

    def spoils_key(self) -> bool:
        if not self.wrong_key:
            return False
        self.wrong_key -= 1
        return True
