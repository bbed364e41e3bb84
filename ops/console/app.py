"""The console's pages. They are complete without JavaScript, of which there is none.

It acts with the operator's own rights. So it lets in only the browser that was given its key, answers to no
name but loopback's, and has a token in the form that replays.
"""

import json
import secrets
from collections.abc import Sequence
from hmac import compare_digest
from pathlib import Path

import yaml
from botocore.exceptions import BotoCoreError, ClientError
from flask import Flask, Response, abort, redirect, render_template, request, url_for
from stripe import StripeError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from nyanko.composition import clock
from nyanko.errors import Retryable
from nyanko.event_rows import EventRow
from nyanko.executions import RUNNING, Execution, event_id_of, name_of
from nyanko.purchases import Purchase
from nyanko.replays import WITHOUT_REASON
from ops import story, use_cases
from ops.console.graph import Graph, draw
from ops.dry_run import DryRun
from ops.durations import spoken
from ops.parked import parked
from ops.stages import Stage, StageError
from ops.story import NothingFound

COOKIE = "nyanko_console"
RECENT = 30
WEEK_SECONDS = 7 * 24 * 3600
DEFINITION = Path(__file__).parents[2] / "statemachines" / "payment.asl.yaml"

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def create_app(stage: Stage, key: str) -> Flask:
    """The console of a stage; `key` lets a browser in, as `/?key=…`."""
    app = Flask(__name__)
    csrf = secrets.token_urlsafe()
    app.jinja_env.globals |= {
        "stage": stage.name,
        "csrf": csrf,
        "clock": story.clock,
        "age": lambda at: spoken(max(clock.now() - at, 0)),
        "standing": story.standing,
    }

    @app.before_request
    def let_in() -> AnyResponse | None:
        if request.host.rpartition(":")[0] not in {"127.0.0.1", "localhost"}:
            abort(403, "the console answers on 127.0.0.1 alone")
        if compare_digest(request.args.get("key", "").encode(), key.encode()):
            entered = redirect(url_for("home"))
            entered.set_cookie(COOKIE, key, httponly=True, samesite="Strict")
            return entered
        if not compare_digest(request.cookies.get(COOKIE, "").encode(), key.encode()):
            abort(403, "open the URL that the command printed")
        if request.method == "POST" and not compare_digest(
            request.form.get("csrf", "").encode(), csrf.encode()
        ):
            abort(400, "this form is not of this console; go back, load it again and repeat")
        return None

    @app.after_request
    def close(response: Response) -> Response:
        response.headers.update(HEADERS)
        return response

    @app.errorhandler(HTTPException)
    def explain(error: HTTPException) -> tuple[str, int]:
        return render_template("problem.html", problem=error.description), error.code or 500

    @app.errorhandler(NothingFound)
    def not_found(error: NothingFound) -> tuple[str, int]:
        return render_template("problem.html", problem=str(error)), 404

    @app.errorhandler(Retryable)
    @app.errorhandler(StageError)
    @app.errorhandler(StripeError)
    @app.errorhandler(BotoCoreError)
    @app.errorhandler(ClientError)
    def unavailable(error: Exception) -> tuple[str, int]:
        return render_template("problem.html", problem=str(error)), 503

    @app.get("/")
    def home() -> str:
        return render_template(
            "home.html",
            waiting=parked(stage),
            events=_recent_events(stage),
            purchases=_recent_purchases(stage),
        )

    @app.get("/find")
    def find() -> AnyResponse:
        name = request.args.get("name", "").strip()
        noun = story.noun_of(name)
        return redirect(url_for(f"show_{noun}", name=name_of(name)))

    @app.get("/events/<name>")
    def show_event(name: str) -> str:
        return _event_page(stage, name, None)

    @app.get("/executions/<name>")
    def show_execution(name: str) -> str:
        return _event_page(stage, event_id_of(name), name)

    @app.get("/purchases/<name>")
    def show_purchase(name: str) -> str:
        found = story.of_purchase(stage, name)
        return render_template("purchase.html", story=found, moments=story.moments(found))

    @app.get("/players/<name>")
    def show_player(name: str) -> str:
        return render_template("player.html", story=story.of_player(stage, name))

    @app.get("/replay")
    def foresee() -> str:
        return _foresee(stage, request.args.getlist("event"), problem=None)

    @app.post("/replay")
    def run() -> AnyResponse | str:
        event_ids, reason = request.form.getlist("event"), request.form.get("reason_text", "").strip()
        if stage.name == "prod" and request.form.get("stage") != stage.name:
            return _foresee(stage, event_ids, "type the stage's name to replay in prod")
        if stage.name == "prod" and not reason:
            return _foresee(stage, event_ids, "say why: it is kept with the event")
        replay = use_cases.replay(stage)
        for event_id in event_ids:
            replay.start(event_id, reason or WITHOUT_REASON, clock.now())
        alone = len(event_ids) == 1
        return redirect(url_for("show_event", name=event_ids[0]) if alone else url_for("home"), code=303)

    return app


def _event_page(stage: Stage, event_id: str, execution: str | None) -> str:
    """An event with one of its executions drawn: the named one, or the last."""
    event = story.of_event(stage, event_id)
    shown = next((one for one in event.executions if one.name == execution), None)
    shown = shown or (event.executions[-1] if event.executions else None)
    purchase_id = event.row.purchase_id if event.row else None
    purchase = story.of_purchase(stage, purchase_id) if purchase_id else None
    return render_template(
        "event.html",
        event=event,
        shown=shown,
        graph=_graph(stage, shown),
        moments=story.moments(purchase) if purchase else [],
        purchase=purchase.purchase if purchase else None,
        is_running=any(one.status == RUNNING for one in event.executions),
        can_be_replayed=event.row is None or not event.row.is_finished,
    )


def _graph(stage: Stage, execution: Execution | None) -> Graph:
    """By the definition that the execution ran by; by today's if Step Functions has forgotten it."""
    known = stage.adapters.execution_history.definition(execution.name) if execution else None
    definition = json.loads(known) if known else yaml.safe_load(DEFINITION.read_text())
    return draw(definition, execution.path if execution else [], execution.status if execution else None)


def _foresee(stage: Stage, event_ids: Sequence[str], problem: str | None) -> str:
    replay, deliveries, now = use_cases.replay(stage), [], clock.now()
    for event_id in event_ids:
        delivery = replay.delivery(event_id, now)
        if delivery is None:
            raise NothingFound(f"{stage.name} has no event {event_id} to replay")
        deliveries.append(delivery)
    return render_template(
        "replay.html", event_ids=event_ids, plans=DryRun(stage)(deliveries, now), problem=problem
    )


def _recent_events(stage: Stage) -> list[tuple[str, EventRow | None]]:
    """Of the newest executions: their events with their rows, the unfinished ones first."""
    ids = list(dict.fromkeys(event_id_of(name) for name in stage.adapters.execution_history.recent(RECENT)))
    rows = [(event_id, stage.adapters.events.get(event_id)) for event_id in ids]
    return sorted(rows, key=lambda of: of[1] is not None and of[1].is_finished)


def _recent_purchases(stage: Stage) -> list[Purchase]:
    """Those whose sessions Stripe opened last; none while Stripe cannot be reached."""
    try:
        sessions = stage.adapters.stripe_records.sessions(clock.now() - WEEK_SECONDS, clock.now() + 1)[
            :RECENT
        ]
    except (Retryable, StripeError):
        return []
    ids = [(session["metadata"] or {}).get("purchase_id") for session in sessions]
    found = {one.purchase_id: one for one in stage.adapters.purchases.get_many([one for one in ids if one])}
    return [found[purchase_id] for purchase_id in ids if purchase_id in found]
