"""Connections that say half a request, nothing, or read nothing: others are answered beside them, by a real server."""

import asyncio
import resource
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from types import SimpleNamespace

import pytest
import uvicorn

from mmdemo.serve import connections
from mmdemo.serve.connections import Connection

ASK = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
PAGE = b"x" * (8 << 20)  # more than the system keeps for a connection that reads nothing


@pytest.fixture
def served(monkeypatch):
    """A server of few connections: (its address, how many pages were made)."""
    monkeypatch.setattr(Connection, "most", 8)
    monkeypatch.setattr(connections, "HEAD", 0.3)
    monkeypatch.setattr(connections, "UNREAD", 0.3)
    made = []

    async def app(scope, receive, send):
        made.append(scope["path"])
        body = PAGE if scope["path"] == "/" else b"small"
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})

    server = uvicorn.Server(
        uvicorn.Config(app, port=0, http=Connection, lifespan="off", log_level="error", timeout_keep_alive=1)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname(), made
    server.should_exit = server.force_exit = True
    thread.join()


def connected(address, said: bytes = b"") -> socket.socket:
    connection = socket.create_connection(address, timeout=30)
    connection.sendall(said)
    return connection


def answered(address) -> bool:
    with closing(connected(address, ASK.replace(b"/ ", b"/small "))) as connection:
        return connection.recv(1000).startswith(b"HTTP/1.1 200")


def is_closed(connection: socket.socket) -> bool:
    """Once the server has closed it; a connection that it keeps is a timeout."""
    try:
        while connection.recv(1 << 20):
            pass
    except ConnectionError:
        pass
    return True


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHos", ASK.replace(b"/ ", b"/small ") + b"GET"])
def test_whoever_says_nothing_or_half_a_request_keeps_nobody_out_and_is_given_up(served, said):
    address, _ = served
    held = [connected(address, said) for _ in range(30)]
    assert answered(address)
    assert all(map(is_closed, held)) and answered(address)


def test_for_whoever_does_not_read_no_more_pages_are_made_and_they_are_given_up(served):
    address, made = served
    held = [connected(address, ASK * 20) for _ in range(5)]
    assert answered(address)
    time.sleep(1)  # all of them are given up by now; what was made for them stays few
    assert made.count("/") <= 10 and answered(address)
    assert all(map(is_closed, held))


def test_whoever_reads_slowly_but_reads_is_not_given_up():
    async def slowly() -> list[str]:
        said, left = [], iter((900, 500, 500, 100, 100, 100))
        transport = SimpleNamespace(get_write_buffer_size=lambda: next(left), abort=lambda: said.append("given up"))
        config = uvicorn.Config(None, lifespan="off")
        config.load()
        one = Connection(config, SimpleNamespace(connections=set(), tasks=set()), {})
        one.transport = transport
        one.loop = SimpleNamespace(call_later=lambda seconds, again, *args: said.append((again, args)))
        one._look_again()
        while said[-1] != "given up":
            again, args = said[-1]
            again(*args)
        return said

    # In a thread of its own: where a browser has been driven, this one has an event loop already.
    with ThreadPoolExecutor(1) as alone:
        looks = alone.submit(asyncio.run, slowly()).result()
    assert len(looks) == 4, "looked at three times: less, less, no less"


def test_room_is_made_by_an_idle_one_of_whoever_has_the_most():
    aborted = []

    def one(name: str, address: str, answering: bool, began: float) -> Connection:
        class Other(Connection):
            def __init__(self):
                self.client, self.began = (address, 1), began
                self.transport = SimpleNamespace(abort=lambda: aborted.append(name))

            answering = property(lambda self: is_answering)

        is_answering = answering
        return Other()

    others = {
        one("a busy one", "a", True, 1),
        one("an idle one", "a", False, 4),
        one("an older idle one", "a", False, 3),
        one("the idle one of another", "b", False, 2),
    }
    held = next(iter(others))
    held.connections = others
    for _ in range(4):
        held._make_room()
    assert aborted == ["an older idle one", "an idle one", "the idle one of another", "a busy one"]


def test_connections_leave_handles_for_files(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda which: (256, 1024))
    monkeypatch.setattr(resource, "setrlimit", lambda which, limits: None)
    assert connections.most() == 1024 - connections.OWN
