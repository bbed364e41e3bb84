"""HTTP requests over real sockets: what comes back, what never does, what is sent again and what is kept."""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from nyanko.adapters import http_request
from nyanko.adapters.http_request import MAX_BYTES, Answer, Unreachable, retries, send
from tests.served import listening
from tests.tls import certified


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
            "/dripping-failure": (500, {"Content-Length": "500"}, [b"x"] * 500),
            "/drip": (200, {"Content-Length": "500"}, [b"x"] * 500),
            "/cut": (200, {"Content-Length": "500"}, [b"x"]),
        }[self.path]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = True
        try:
            for chunk in chunks:
                self.wfile.write(chunk)
                if "drip" in self.path:
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


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    with listening(Handler) as url:
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


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("silent", "TimeoutError"),
        ("drip", "takes longer"),
        ("dripping-failure", "takes longer"),
        ("cut", "ProtocolError"),
    ],
)
def test_an_answer_that_does_not_come_whole_in_time_is_none(host: str, path: str, reason: str) -> None:
    with pytest.raises(Unreachable, match=reason):
        send("GET", f"{host}/{path}", 0.3)


def test_nobody_listening_is_no_answer() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable, match="NewConnectionError"):
            send("GET", f"http://127.0.0.1:{unused.getsockname()[1]}/secret", 3)


def test_a_server_that_does_not_speak_tls_is_no_answer(host: str) -> None:
    with pytest.raises(Unreachable, match="SSL"):
        send("GET", host.replace("http:", "https:"), 3)


class Peer:
    """A server that answers each request with the next status, or hangs up instead (None)."""

    def __init__(self, *statuses: int | None) -> None:
        self.left = list(statuses)
        self.connections = self.requests = 0
        self.opened: list[socket.socket] = []

    @contextmanager
    def listening(self, tls: ssl.SSLContext | None = None) -> Iterator[str]:
        peer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                peer.connections += 1
                peer.opened.append(self.request)
                super().setup()

            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                peer.requests += 1
                status = peer.left.pop(0)
                if status is None:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Content-Length", "2")
                self.send_header("Retry-After", "3600")
                self.end_headers()
                self.wfile.write(b"ok")

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class calls it so
                del format, args

        with listening(Handler, tls) as url:
            yield f"{url}/"

    def hang_up(self) -> None:
        """Close the connections that are kept; a client learns it at once or while it sends."""
        while self.opened:
            self.opened.pop().shutdown(socket.SHUT_RDWR)


def test_a_connection_is_kept_and_opened_anew_after_the_server_closed_it() -> None:
    peer = Peer(200, 200, 200)
    with peer.listening() as url:
        assert [send("GET", url, 3).status for _ in range(2)] == [200, 200]
        assert peer.connections == 1
        peer.hang_up()
        assert send("GET", url, 3, retries=retries(1)) == Answer(200, b"ok")
        assert peer.connections == 2


def test_a_request_that_meets_a_closing_connection_is_sent_again() -> None:
    peer = Peer(200, None, 200)
    with peer.listening() as url:
        assert [send("POST", url, 3, body=b"{}").status for _ in range(2)] == [200, 200]
    assert (peer.requests, peer.connections) == (3, 2)


@pytest.mark.parametrize("status", [429, 500, 503, 599])
def test_a_status_that_passes_is_asked_for_again_and_whatever_stays_is_the_answer(status: int) -> None:
    peer = Peer(status, 200, status, status, status)
    with peer.listening() as url:
        answers = [send("POST", url, 3, body=b"{}", retries=retries(1)) for _ in range(2)]
        assert answers == [Answer(200, b"ok"), Answer(status, b"ok")]
        assert send("POST", url, 3, body=b"{}", retries=answers[0].retries).status == status
    assert peer.requests == 5


@pytest.mark.parametrize("status", [200, 204, 302, 400, 404, 409])
def test_any_other_status_is_the_answer_at_once(status: int) -> None:
    peer = Peer(status)
    with peer.listening() as url:
        assert send("GET", url, 3).status == status


def test_the_first_retry_comes_at_once_and_the_second_after_a_random_while() -> None:
    first = retries(2).increment("GET", "/")
    assert first.get_backoff_time() == 0
    waits = {first.increment("GET", "/").get_backoff_time() for _ in range(20)}
    assert len(waits) > 1
    assert all(0.2 <= wait <= 0.4 for wait in waits)


@pytest.fixture
def trusting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ssl.SSLContext]:
    """A server's TLS whose authority the system knows, for as long as the test runs."""
    server, trusted = certified(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    http_request._pool.cache_clear()
    yield server
    http_request._pool.cache_clear()


def test_all_connections_share_one_tls_context(
    trusting: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[ssl.SSLContext] = []
    build = ssl.create_default_context

    def count() -> ssl.SSLContext:
        built.append(build())
        return built[-1]

    monkeypatch.setattr(ssl, "create_default_context", count)
    one, other = Peer(200, 500, 200), Peer(200)
    with one.listening(trusting) as url, other.listening(trusting) as elsewhere:
        assert [send("GET", to, 3).status for to in (url, elsewhere, url)] == [200] * 3
    assert (one.connections, other.connections, len(built)) == (2, 1, 1)


def test_a_certificate_of_an_unknown_authority_is_no_answer(tmp_path: Path) -> None:
    server, _ = certified(tmp_path)
    peer = Peer(200)
    with peer.listening(server) as url, pytest.raises(Unreachable, match="SSLError"):
        send("GET", url, 3)
    assert peer.requests == 0
