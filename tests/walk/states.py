"""A small interpreter of the Amazon States Language that a walk can interleave at every call.

It knows what `statemachines/payment.asl.yaml` uses and refuses all else. Where moto differs from AWS's
documentation, it does as the documentation says:
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any, Literal

Perform = Callable[[str, str, Any], Any]
"""Does a task's work: from its state, resource and parameters to its result before ResultSelector, which is
`{"Payload": …, "StatusCode": 200, …}` for a function."""

MAX_BYTES = 256 * 1024
"""As UTF-8 (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html)."""

FIELDS = {
    "Machine": "Comment StartAt States TimeoutSeconds",
    "Task": "Type Comment Resource Parameters ResultSelector ResultPath OutputPath TimeoutSeconds Retry Catch"
    " Next End",
    "Succeed": "Type Comment",
    "Fail": "Type Comment Error Cause",
    "Retry": "ErrorEquals IntervalSeconds BackoffRate MaxAttempts MaxDelaySeconds JitterStrategy",
    "Catch": "ErrorEquals ResultPath Next",
}
"""TimeoutSeconds is not used: time is the walk's, which raises `TaskFailed("States.Timeout", "")`."""

VALUES = {
    "Resource": r"arn:aws:states:::\w+:\w+",
    "ErrorEquals": r"States\.(ALL|TaskFailed|Timeout)|(?!States\.).*",
    "JitterStrategy": r"FULL|NONE",
}
"""A resource with a suffix would wait for a job or a token."""


class TaskFailed(Exception):
    """A task failed, by the name and the cause that Step Functions sees."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(error, cause)
        self.error = error
        self.cause = cause


@dataclass(frozen=True)
class Ended:
    """`output` is None when the execution failed; `error` and `cause` are None unless it failed with them."""

    status: Literal["SUCCEEDED", "FAILED"]
    output: Any
    error: str | None
    cause: str | None


def run(
    definition: Mapping[str, Any],
    given: Any,
    execution: str,
    *,
    perform: Perform,
    wait: Callable[[float], object],
    draw: Callable[[float, float], float],
    enter: Callable[[str], object],
) -> Ended:
    """Run an execution to its end.

    `wait` is told the seconds before each retry, which `draw` chooses from a range, and `enter` each state.
    """
    _refuse_unknown(definition)
    running = _Execution(execution, perform, wait, draw)
    name: str | None = definition["StartAt"]
    data = json.loads(json.dumps(given))
    while name:
        enter(name)
        state = definition["States"][name]
        if state["Type"] == "Fail":
            return Ended("FAILED", None, state.get("Error"), state.get("Cause"))
        if state["Type"] == "Succeed":
            break
        try:
            data, name = running.run_task(name, state, data)
        except TaskFailed as failed:
            return Ended("FAILED", None, failed.error, failed.cause or None)
    return Ended("SUCCEEDED", data, None, None)


@dataclass(frozen=True)
class _Execution:
    name: str
    perform: Perform
    wait: Callable[[float], object]
    draw: Callable[[float, float], float]

    def run_task(self, name: str, state: Mapping[str, Any], data: Any) -> tuple[Any, str | None]:
        """Return the task's output and the state that follows; None ends the execution."""
        retriers = [(retrier, self._waits(retrier)) for retrier in state.get("Retry", [])]
        while True:
            try:
                return self._attempt(name, state, data), state.get("Next")
            except TaskFailed as raised:
                failed = raised
            # The first retrier that matches decides, even when it has no attempts left.
            matching = (next(waits, None) for retrier, waits in retriers if _matches(retrier, failed.error))
            if (seconds := next(matching, None)) is None:
                break
            self.wait(seconds)
        for catcher in state.get("Catch", []):
            if _matches(catcher, failed.error):
                caught = {"Error": failed.error, "Cause": failed.cause}
                # A catcher's ResultPath alone determines what it sends; OutputPath does not.
                return _crossing(name, _place(catcher.get("ResultPath", "$"), data, caught)), catcher["Next"]
        raise failed

    def _attempt(self, name: str, state: Mapping[str, Any], data: Any) -> Any:
        parameters = _fill(state["Parameters"], data, self.name) if "Parameters" in state else data
        result = _crossing(name, self.perform(name, state["Resource"], _crossing(name, parameters)))
        if "ResultSelector" in state:
            result = _fill(state["ResultSelector"], result, self.name)
        output = _place(state.get("ResultPath", "$"), data, result)
        return _crossing(name, _find(state.get("OutputPath", "$"), output, self.name))

    def _waits(self, retrier: Mapping[str, Any]) -> Iterator[float]:
        """The seconds before each retry that a retrier allows; it counts for itself while the state lasts."""
        for attempt in range(retrier.get("MaxAttempts", 3)):
            grown = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** attempt
            limit = min(grown, retrier.get("MaxDelaySeconds", inf))
            yield self.draw(0, limit) if retrier.get("JitterStrategy") == "FULL" else limit


def _matches(rule: Mapping[str, Any], error: str) -> bool:
    names = rule["ErrorEquals"]
    # Wildcards do not match them, according to the documentation, and no rule may name them here.
    if error in ("States.Runtime", "States.DataLimitExceeded"):
        return False
    is_task_failed = "States.TaskFailed" in names and error != "States.Timeout"
    return error in names or "States.ALL" in names or is_task_failed


def _crossing(name: str, value: Any) -> Any:
    """A copy of what goes into or out of a state, as JSON."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if len(text.encode(errors="surrogatepass")) > MAX_BYTES:
        problem = "returned a result with a size exceeding the maximum number of bytes service limit"
        raise TaskFailed("States.DataLimitExceeded", f"The state/task '{name}' {problem}.")
    return json.loads(text)


def _place(result_path: str | None, data: Any, result: Any) -> Any:
    if result_path is None:
        return data
    if result_path == "$":
        return result
    field = re.fullmatch(r"\$\.([A-Za-z_]\w*)", result_path)
    if not field or not isinstance(data, dict):
        raise NotImplementedError(f"ResultPath {result_path} into {type(data).__name__}")
    return {**data, field[1]: result}


def _fill(template: Any, data: Any, execution: str) -> Any:
    if isinstance(template, list):
        return [_fill(each, data, execution) for each in template]
    if not isinstance(template, dict):
        return template
    filled = {}
    for key, value in template.items():
        if key.endswith(".$"):
            filled[key.removesuffix(".$")], rest = _evaluate(value, data, execution)
            if rest:
                raise NotImplementedError(f"the expression {value}")
        else:
            filled[key] = _fill(value, data, execution)
    return filled


def _evaluate(text: str, data: Any, execution: str) -> tuple[Any, str]:
    """The value of the expression that a text begins with, and the rest of the text."""
    if function := re.match(r"States\.(Format|MathAdd)(?=\()", text):
        arguments, rest = [], text[function.end() :]
        while rest[:1] in ("(", ","):
            argument, rest = _evaluate(rest[1:].strip(), data, execution)
            arguments.append(argument)
        if rest[:1] == ")":
            return _call(function[1], *arguments), rest[1:].strip()
    elif path := re.match(r"\$[^\s,)]*", text):
        return _find(path[0], data, execution), text[path.end() :].strip()
    elif literal := re.match(r"'([^'\\]*)'|(-?\d+)", text):
        return int(literal[2]) if literal[2] else literal[1], text[literal.end() :].strip()
    raise NotImplementedError(f"the expression {text}")


def _call(function: str, first: Any, *others: Any) -> Any:
    types = [type(value) for value in others]
    if function == "Format" and re.sub(r"[^{}]", "", first) == "{}" * len(types) and {*types} <= {str, int}:
        return first.format(*others)
    if function == "MathAdd" and [type(first), *types] == [int, int]:
        return first + others[0]
    raise NotImplementedError(f"States.{function} of {first!r} and {others}")


def _find(path: str | None, data: Any, execution: str) -> Any:
    if path == "$$.Execution.Name":
        return execution
    if not path or not re.fullmatch(r"\$(\.[A-Za-z_]\w*)*", path):
        raise NotImplementedError(f"the path {path}")
    found = data
    for name in path.split(".")[1:]:
        if not isinstance(found, dict) or name not in found:
            cause = f"The JSONPath '{path}' could not be found in the input '{json.dumps(data)}'"
            raise TaskFailed("States.Runtime", cause)
        found = found[name]
    return found


def _refuse_unknown(definition: Mapping[str, Any]) -> None:
    parts = [("Machine", definition)]
    for state in definition["States"].values():
        parts.append((state["Type"], state))
        parts += [(kind, rule) for kind in ("Retry", "Catch") for rule in state.get(kind, [])]
    for kind, part in parts:
        if unknown := part.keys() - FIELDS.get(kind, "").split():
            raise NotImplementedError(f"{kind} with {sorted(unknown)}")
        for field in part.keys() & VALUES.keys():
            values = part[field] if isinstance(part[field], list) else [part[field]]
            if not all(re.fullmatch(VALUES[field], value) for value in values):
                raise NotImplementedError(f"{field} {part[field]}")
