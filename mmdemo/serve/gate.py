"""The gate in front of the page: only listed URL paths pass, within limits of size, rate, host and password.

Knows HTTP alone: which addresses exist, who may call them from where, how much and how often. What it refuses, it
refuses in one sentence, before anything is parsed, fetched or written.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import ipaddress
import json
import re
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
from starlette.datastructures import Headers, QueryParams
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mmdemo.core.messages import N_
from mmdemo.serve import gradio_patches
from mmdemo.serve.refusals import answer, refusal
from mmdemo.serve.translation import speaking, translate

PAGE = re.compile(r"(?:(?:/zh)?(?:/c/[^/]+)?(?=/|$))?")  # in front of every address: the page that it belongs to
READ = re.compile(
    r"/?|/(?:config/?|theme\.css|favicon\.ico|robots\.txt|manifest\.json|pwa_icon(?:/\d+)?"
    r"|(?:assets|static)/(?:[\w@~+-][\w.@~+-]*/)*[\w@~+-][\w.@~+-]*|picture/.+|start/\d+"
    r"|yours/(?:progress|refused/[\w-]+)"
    r"|gradio_api/(?:info/?|openapi\.json|startup-events|app_id/?|theme\.css|queue/data|upload_progress"
    r"|heartbeat/[\w-]{1,64}|call/\w{1,64}/\w{1,64}|file=.+))",
    re.S,
)
WORK = re.compile(r"/gradio_api/(?:queue/join|run/predict|call/(?:v2/)?\w+|upload)/?|/api/\w+")
SEND = re.compile(r"/yours/file/\w+/.+", re.S)  # a file of a visitor's own catalogue
OTHER = re.compile(r"/gradio_api/(?:cancel|reset)/?")
SESSION = re.compile(r"[A-Za-z0-9_-]{1,64}")  # Gradio keeps the names of thousands of them in memory
TOOLS = re.compile(r"/gradio_api/mcp/?")  # for agents, where they are served
LOCAL = frozenset(("localhost", "127.0.0.1", "::1"))
SMALL, UPLOAD = 1 << 20, 21 << 20  # bytes of a request's body
SLOW = 20.0  # seconds without a byte after which a body is given up
SLOWEST = 4000  # bytes a second that a body must come at, or it holds a place that others wait for
UPLOADS_AT_ONCE = 16
BODIES_AT_ONCE = 4  # that a stranger may be sending
NEIGHBOURS = 8  # networks of IPv6 in one /48 that may each ask as often as a client alone
PASS, PASSES = "mmdemo-pass", 10_000  # the cookie of a browser that gave the password, and how many are remembered
PICTURES_AT_ONCE = 12  # in one upload: each may take a second to draw anew, and hundreds of small files fit into it

BUSY = N_("The server is busy; try again in a few seconds.")
LONG_NAME = N_("The name of a session is at most 64 letters, digits and hyphens.")
_ADDRESS = re.compile(r"\s*(?:[a-z][a-z0-9+.\-]{1,20}:|//|\\\\)", re.I)

POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' data: blob:; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)


@dataclass
class Bucket:
    """A token bucket for each client: `burst` at once, `rate` a second in the long run."""

    rate: float
    burst: int
    _left: dict[str, tuple[float, float]] = field(default_factory=dict)

    def wait(self, client: str, now: float) -> float:
        """0 and a token less, or the seconds until there is one; networks of IPv6 count with their neighbours too."""
        network = _network(client)
        wide = self._take(network, now, 1 / NEIGHBOURS) if network else 0.0
        return self._take(client, now, 1.0) if not wide else wide

    def spent(self, client: str, now: float) -> float:
        """The seconds until there is a token, which is not taken."""
        shares = {client: 1.0, **({network: 1 / NEIGHBOURS} if (network := _network(client)) else {})}
        return max(max(0.0, share - self._tokens(name, now)) / self.rate for name, share in shares.items())

    def _tokens(self, client: str, now: float) -> float:
        left, since = self._left.get(client, (float(self.burst), now))
        return min(float(self.burst), left + (now - since) * self.rate)

    def _take(self, client: str, now: float, share: float) -> float:
        left = self._tokens(client, now)
        allowed = left >= share
        self._left.pop(client, None)
        self._left[client] = (left - share if allowed else left, now)  # at the end: the front is whoever was seen least
        if len(self._left) > 10_000:
            del self._left[next(iter(self._left))]
        return 0.0 if allowed else (share - left) / self.rate


@dataclass
class Rules:
    """What the gate lets in. `host` is the address served on, `uploads` the one folder whose files are handed out."""

    host: str
    uploads: Path
    arrived: Callable[[str], str]  # what is done with each upload; returns where it then lies
    public: bool = False
    password: str = ""
    calls: Bucket | None = None  # None: nobody is counted
    catalogue: int = 0  # bytes of one file of a visitor's own catalogue; 0: none is taken
    guesses: Bucket = field(default_factory=lambda: Bucket(rate=1 / 10, burst=10))
    at_once: int = 64
    bodies_at_once: int = 64  # that one client may be sending; fewer where strangers come
    tools: bool = False  # whether agents are served
    working: int = 0  # requests that are worked on now
    stopping: bool = False


class Refused(Exception):
    """A request that goes no further."""

    def __init__(self, status: int, sentence: str, **headers: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.headers = status, sentence, headers


class Gate:
    """ASGI middleware that applies `Rules`."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self.app, self.rules = app, rules
        self._uploading = asyncio.Semaphore(UPLOADS_AT_ONCE)
        self._started = False  # whether Gradio has started behind it
        self._passes = dict[str, None]()  # the newest last
        self._bodies = Counter[str]()  # how many bodies each client is sending now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def dressed(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message = {**message, "headers": [*message.get("headers", []), *self._dress()]}
            await send(message)

        with speaking("zh" if scope["path"].startswith("/zh/") else "en"):
            try:
                await self._serve(scope, receive, dressed)
            except Refused as no:
                if not started:
                    await answer(scope, no.status, no.sentence, **no.headers)(scope, receive, dressed)

    def _with_pass(self, send: Send) -> Send:
        """The answer with a pass for this browser."""
        token = secrets.token_urlsafe(24)
        self._passes[token] = None
        if len(self._passes) > PASSES:
            del self._passes[next(iter(self._passes))]
        cookie = f"{PASS}={token}; Path=/; HttpOnly; SameSite=Strict".encode()

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), (b"set-cookie", cookie)]}
            await send(message)

        return sending

    def _dress(self) -> list[tuple[bytes, bytes]]:
        camera = "()" if self.rules.public else "(self)"
        return [
            (b"content-security-policy", POLICY.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"x-frame-options", b"SAMEORIGIN"),
            (b"referrer-policy", b"no-referrer"),
            (b"cross-origin-resource-policy", b"same-origin"),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"permissions-policy", f"camera={camera}, microphone=(), geolocation=()".encode()),
        ]

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        rules, whole, method = self.rules, scope["path"], scope["method"]
        path = PAGE.sub("", whole, count=1)
        headers = Headers(scope=scope)
        address = (scope.get("client") or ("?", 0))[0]
        client = _client(address)
        self._check_host(headers)
        self._check_origin(headers, method, path)
        # Gradio asks for its own start once, from this machine, before anybody was told the address.
        if whole == "/gradio_api/startup-events" and not self._started and address in {*LOCAL, rules.host}:
            self._started = True
        elif rules.password and self._check_password(headers, client) and headers.get("sec-fetch-mode") == "navigate":
            send = self._with_pass(send)
        if method in ("GET", "HEAD"):
            if not (READ.fullmatch(path) or (rules.tools and TOOLS.fullmatch(whole))):
                raise Refused(404, translate("There is nothing at this address."))
            names = QueryParams(scope["query_string"].decode("latin-1")).getlist("session_hash")
            if not all(map(SESSION.fullmatch, names)):
                raise Refused(400, translate(LONG_NAME))
            if path.startswith("/gradio_api/file="):
                self._check_file(path.removeprefix("/gradio_api/file="))
            await self.app(scope, receive, send)
            return
        work, tools = WORK.fullmatch(path), rules.tools and TOOLS.fullmatch(whole)
        own = rules.catalogue and SEND.fullmatch(path)
        if method != "POST" or not (work or tools or own or OTHER.fullmatch(path)):
            raise Refused(404, translate("There is nothing at this address."))
        if rules.stopping:
            raise Refused(503, translate("The server is stopping; try again in a minute."), Retry_After="60")
        if rules.calls and (wait := rules.calls.wait(client, time.monotonic())):
            raise Refused(
                429,
                translate("That was a lot of queries; try again in {n} seconds.", n=f"{wait:.0f}"),
                Retry_After=f"{wait + 1:.0f}",
            )
        with self._sending(client):
            if own:
                await self._take(scope, partial(_metered, receive, _Meter(headers, rules.catalogue)), send)
                return
            if path.rstrip("/").endswith("/upload"):
                await self._upload(scope, partial(_metered, receive, _Meter(headers, UPLOAD)), send)
                return
            body = await _whole(partial(_metered, receive, _Meter(headers, UPLOAD if tools else SMALL)))
        _check_body(body, addresses=bool(tools))  # tools refuse them in words of their own
        if rules.working >= rules.at_once:  # a place is held by work alone, from the last byte of the request on
            raise Refused(503, translate(BUSY), Retry_After="3")
        rules.working += 1
        try:
            busy = refusal(503, translate(BUSY), Retry_After="3")
            await self.app(scope, _again(body, receive), gradio_patches.with_plain_busy(send, busy))
        finally:
            rules.working -= 1

    @contextmanager
    def _sending(self, client: str) -> Iterator[None]:
        """While a client sends a body: each may send a few at once, so that slow ones keep nobody else out."""
        if self._bodies[client] >= self.rules.bodies_at_once:
            raise Refused(503, translate(BUSY), Retry_After="3")
        self._bodies[client] += 1
        try:
            yield
        finally:
            self._bodies[client] -= 1
            if not self._bodies[client]:
                del self._bodies[client]

    def _check_host(self, headers: Headers) -> None:
        """Refuse a Host header of another name, by which a foreign page could reach this machine (DNS rebinding)."""
        if self.rules.host in LOCAL and not self.rules.public and _name(headers.get("host", "")) not in LOCAL:
            raise Refused(
                403, translate("This server answers to localhost alone; start it with --host or --public for others.")
            )

    def _check_origin(self, headers: Headers, method: str, path: str) -> None:
        site = headers.get("sec-fetch-site")
        if site is not None:  # a browser says where the call comes from, and no page can make it lie
            visit = method == "GET" and path in ("", "/") and headers.get("sec-fetch-mode") == "navigate"
            foreign = site not in ("same-origin", "none") and not visit
        else:
            origin = headers.get("origin")
            foreign = origin is not None and urlsplit(origin).netloc != headers.get("host")
        if foreign:
            raise Refused(403, translate("Calls from other sites are refused."))

    def _check_password(self, headers: Headers, client: str) -> bool:
        """Whether the password was given, and not the pass that a browser has from having given it before.

        Whoever has a pass stays in while somebody at the same address guesses.
        """
        if cookie_parser(headers.get("cookie", "")).get(PASS, "") in self._passes:
            return False
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() == "basic":
            if wait := self.rules.guesses.spent(client, time.monotonic()):
                raise Refused(429, translate("Too many wrong passwords; try again in {n} seconds.", n=f"{wait:.0f}"))
            try:
                password = base64.b64decode(given, validate=True).partition(b":")[2]
            except (binascii.Error, ValueError):
                password = b""
            if hmac.compare_digest(password, self.rules.password.encode()):
                return True
            self.rules.guesses.wait(client, time.monotonic())
        raise Refused(
            401, translate("This demo asks for a password."), WWW_Authenticate='Basic realm="mmdemo", charset="UTF-8"'
        )

    def _check_file(self, path: str) -> None:
        try:
            file = Path(path).resolve()
            is_upload = Path(path).is_absolute() and file.is_relative_to(self.rules.uploads) and file.is_file()
        except (OSError, ValueError):
            is_upload = False
        if not is_upload:
            raise Refused(404, translate("There is nothing at this address."))

    async def _take(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a large file on in pieces, one upload at a time."""
        if self._uploading.locked():
            raise Refused(503, translate(BUSY), Retry_After="3")
        async with self._uploading:
            await self.app(scope, receive, send)

    async def _upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Every file that arrives is handed to `rules.arrived` before its path is told."""
        if self._uploading.locked():
            raise Refused(503, translate(BUSY), Retry_After="3")
        async with self._uploading:
            start: Message = {}
            body = b""

            async def held(message: Message) -> None:
                nonlocal start, body
                if message["type"] == "http.response.start":
                    start = message
                elif message["type"] == "http.response.body":
                    body += message.get("body", b"")

            try:
                await self.app(scope, receive, held)
            except Refused:
                raise
            except Exception:  # Gradio trips over a file without a name
                raise Refused(400, translate("The upload failed.")) from None
            if start.get("status") == 200:
                if len(arrived := json.loads(body)) > PICTURES_AT_ONCE:
                    for path in arrived:
                        Path(path).unlink(missing_ok=True)
                    raise Refused(413, translate("At most {n} pictures can be sent at once.", n=PICTURES_AT_ONCE))
                paths = [await anyio.to_thread.run_sync(self.rules.arrived, path) for path in arrived]
                await JSONResponse(paths)(scope, receive, send)
            else:
                sentence = (
                    body.decode(errors="replace")[:300]
                    if start.get("status", 500) < 500
                    else translate("The upload failed.")
                )
                raise Refused(start.get("status", 500), sentence)


@dataclass
class _Meter:
    headers: Headers
    most: int
    seen: int = 0
    began: float = field(default_factory=time.monotonic)


async def _metered(receive: Receive, meter: _Meter) -> Message:
    """The next piece of a body that may be neither too large nor too slow, whatever its header says."""
    too_large = Refused(
        413, translate("The request is too large; at most {n} MB are read.", n=meter.most >> 20), Connection="close"
    )
    stated = meter.headers.get("content-length", "0")
    if not stated.isdecimal() or int(stated) > meter.most:
        raise too_large
    slow = Refused(408, translate("The request came too slowly."), Connection="close")
    try:
        message = await asyncio.wait_for(receive(), SLOW)
    except TimeoutError:
        raise slow from None
    meter.seen += len(message.get("body", b""))
    if message.get("more_body") and meter.seen < (time.monotonic() - meter.began - SLOW) * SLOWEST:
        raise slow
    if meter.seen > meter.most:
        raise too_large
    return message


async def _whole(receive: Receive) -> bytes:
    parts, more = [], True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise Refused(400, translate("The request was cut short."))
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """A body that was read, to be read once more."""
    given = False

    async def receive_again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


def _check_body(body: bytes, addresses: bool = False) -> None:
    """Refuse JSON in which a file is an address, which Gradio would fetch, or a number is none."""
    if not body:
        return
    try:
        content = json.loads(body, parse_constant=_no_number)
        has_address = not addresses and _addresses(content)
    except (ValueError, RecursionError):
        raise Refused(400, translate("The request is not JSON.")) from None
    session = content.get("session_hash") if isinstance(content, dict) else None
    if session is not None and not (isinstance(session, str) and SESSION.fullmatch(session)):
        raise Refused(400, translate(LONG_NAME))
    if has_address:
        raise Refused(400, translate("A picture is an uploaded file; addresses are never fetched, so upload it first."))


def _no_number(name: str) -> Any:
    raise ValueError(name)


def _addresses(content: Any) -> bool:
    """True where a file's path, or an agent's picture, is an address and not a file."""
    if isinstance(content, dict):
        path = content.get("path")
        if isinstance(path, str) and _ADDRESS.match(path):
            return True
        if "path" in content and "meta" in content and not Path(str(path)).is_absolute():  # as an upload's path is
            return True
        image = content.get("image")
        if isinstance(image, str) and _ADDRESS.match(image) and not image.startswith("data:image/"):
            return True
        return any(_addresses(value) for value in content.values())
    return isinstance(content, list) and any(_addresses(value) for value in content)


def _client(address: str) -> str:
    """The key by which a caller is counted: an IPv4 address, or an IPv6 /64 network, which one household has."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.ip_network((int(parsed), 128)).supernet(new_prefix=64))


def _network(client: str) -> str:
    """The /48 that a network of IPv6 is in, which one line may have all of; "" for anything else."""
    return str(ipaddress.ip_network(client).supernet(new_prefix=48)) if client.endswith("/64") else ""


def _name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""
