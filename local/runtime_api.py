"""One function's process, and Lambda's Runtime API from which it takes its events.

The paths and headers are Lambda's: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import queue
import re
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from local.process import end_group

NEXT = "/2018-06-01/runtime/invocation/next"
ANSWERED = re.compile(r"/2018-06-01/runtime/(?:init/error|invocation/([^/]+)/(?:response|error))")


@dataclass(frozen=True, slots=True)
class Event:
    """What a function is called with; `deadline` is in epoch seconds UTC."""

    payload: bytes
    deadline: float
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a connection that ended with the function's process."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type] # as it came


class FunctionProcess:
    """A process that has a handler, in `folder` as Lambda's is in /var/task; it answers one event at a time.

    It writes its log to this program's standard error, and ends with this program, however that ends.
    """

    def __init__(self, handler: str, folder: Path, environment: Mapping[str, str]) -> None:
        self._arn = environment["AWS_LAMBDA_FUNCTION_NAME"]
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        """`None` once nobody asks any more."""
        self._answers: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        """`None` once the process has ended."""
        self._server = _Server(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "local.child", "local.function", handler],
            cwd=folder,
            env={**environment, "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_port}"},
            stdin=subprocess.PIPE,  # the leash of local.child
            stdout=sys.stderr,
            stderr=sys.stderr,
            start_new_session=True,
        )
        threading.Thread(target=self._await_end, daemon=True).start()

    def invoke(self, payload: str, timeout_seconds: int) -> bytes:
        """Return the answer, or the error in Lambda's words; raises `TimeoutError`: end the process then."""
        event = Event(payload.encode(), time.time() + timeout_seconds)
        self._events.put(event)
        try:
            answer = self._answers.get(timeout=timeout_seconds)
        except queue.Empty:
            raise TimeoutError from None
        if answer is None:
            said = f"RequestId: {event.request_id} Error: Runtime exited with {self._process.returncode}"
            return json.dumps({"errorType": "Runtime.ExitError", "errorMessage": said}).encode()
        return answer

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def end(self) -> None:
        end_group(self._process)
        self._events.put(None)
        self._server.shutdown()
        self._server.server_close()

    def _await_end(self) -> None:
        self._process.wait()
        self._answers.put(None)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        events, answers, arn = self._events, self._answers, self._arn

        class RuntimeApi(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if self.path != NEXT:
                    self._reply(404, b"", {})
                    return
                event = events.get()
                if event is None:
                    self.close_connection = True
                    return
                headers = {
                    "Lambda-Runtime-Aws-Request-Id": event.request_id,
                    "Lambda-Runtime-Deadline-Ms": str(int(event.deadline * 1000)),
                    "Lambda-Runtime-Invoked-Function-Arn": arn,
                }
                self._reply(200, event.payload, headers)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                known = ANSWERED.fullmatch(self.path) is not None
                if known:
                    answers.put(body)
                self._reply(202 if known else 404, b"{}", {})

            def _reply(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
                self.send_response(status)
                # Lambda's runtime client is killed by an answer without a type.
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing of its own: standard error has the function's log."""

        return RuntimeApi
