"""One HTTP request over a real socket: what comes back, and what never does."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from nyanko.adapters.http_request import MAX_BYTES, Answer, Unreachable, send


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        status, headers, chunks = {
            "/ok?a=1": (200, {"Content-Length": "2"}, [b"ok"]),
            "/": (200, {"Content-Length": "4"}, [b"root"]),
            "/chunked": (
                200,
                {"Transfer-Encoding": "chunked"},
                [b"3\r\nabc\r\n", b"2\r\nde\r\n", b"0\r\n\r\n"],
            ),
            "/redirect": (302, {"Location": "/ok?a=1", "Content-Length": "0"}, []),
            "/largest": (200, {"Content-Length": str(MAX_BYTES)}, [b"x" * MAX_BYTES]),
            "/too-large": (200, {"Content-Length": str(MAX_BYTES + 1)}, [b"x" * (MAX_BYTES + 1)]),
            "/endless": (200, {"Connection": "close"}, [b"x" * 8192] * 1000),
            "/silent": (200, {"Content-Length": "5"}, []),
            "/drip": (200, {"Content-Length": "500"}, [b"x"] * 500),
        }[self.path]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = True
        try:
            for chunk in chunks:
                self.wfile.write(chunk)
                if self.path == "/drip":
                    time.sleep(0.05)
            if self.path == "/silent":
                self.connection.settimeout(5)
                with suppress(TimeoutError):
                    self.rfile.read()
                self.wfile.write(b"later")
        except OSError:
            return

    def do_POST(self) -> None:
        received = self.rfile.read(int(self.headers["Content-Length"]))
        echoed = received + self.headers["X-Api-Key"].encode()
        self.send_response(201)
        self.send_header("Content-Length", str(len(echoed)))
        self.end_headers()
        self.wfile.write(echoed)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class calls it so
        del format, args


@contextmanager
def listening() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    with listening() as url:
        yield url


def test_an_answer_comes_whole_however_it_was_sent(host: str) -> None:
    assert send("GET", f"{host}/ok?a=1", 3) == Answer(200, b"ok")
    assert send("GET", host, 3) == Answer(200, b"root")
    assert send("GET", f"{host}/chunked", 3) == Answer(200, b"abcde")
    assert send("GET", f"{host}/largest", 3) == Answer(200, b"x" * MAX_BYTES)


def test_headers_and_a_body_are_sent(host: str) -> None:
    assert send("POST", f"{host}/", 3, {"X-Api-Key": "!"}, "猫".encode()) == Answer(201, "猫!".encode())


def test_a_redirect_is_an_answer_and_not_followed(host: str) -> None:
    assert send("GET", f"{host}/redirect", 3) == Answer(302, b"")


@pytest.mark.parametrize("path", ["too-large", "endless"])
def test_an_answer_that_is_too_large_is_none(host: str, path: str) -> None:
    with pytest.raises(Unreachable, match="more than"):
        send("GET", f"{host}/{path}", 3)


@pytest.mark.parametrize(("path", "reason"), [("silent", "TimeoutError"), ("drip", "takes longer")])
def test_an_answer_that_takes_too_long_is_none(host: str, path: str, reason: str) -> None:
    with pytest.raises(Unreachable, match=reason):
        send("GET", f"{host}/{path}", 0.3)


def test_nobody_listening_is_no_answer() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable, match="ConnectionRefusedError"):
            send("GET", f"http://127.0.0.1:{unused.getsockname()[1]}/secret", 3)


def test_a_server_that_does_not_speak_tls_is_no_answer(host: str) -> None:
    with pytest.raises(Unreachable, match="SSL"):
        send("GET", host.replace("http:", "https:"), 3)
