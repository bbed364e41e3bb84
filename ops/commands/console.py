"""nyanko console"""

import secrets
import signal
from typing import Annotated

import typer
from werkzeug.serving import WSGIRequestHandler, make_server

from ops.console.app import create_app
from ops.output import errors, people, refuse
from ops.stages import Stage


def command(
    context: typer.Context,
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="On 127.0.0.1; 0 takes a free one.")] = 4580,
) -> None:
    """Serve a page to look at the stage and replay events, to this machine alone, until Ctrl-C."""
    stage: Stage = context.obj
    key = secrets.token_urlsafe()
    app = create_app(stage, key)
    try:
        server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Quiet)
    except (OSError, SystemExit):
        refuse(f"port {port} cannot be listened on; choose another with --port")
    for end in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(end, signal.default_int_handler)
    people.print(f"http://127.0.0.1:{server.port}/?key={key}")
    errors.print(f"the console of {stage.name}; Ctrl-C stops it", style="dim")
    with server.socket:
        server.serve_forever()
    errors.print("stopped", style="dim")


class _Quiet(WSGIRequestHandler):
    """The first request has the key in its URL, which belongs into no log."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of answered requests."""
