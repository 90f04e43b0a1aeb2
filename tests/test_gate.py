"""What the gate lets in and what it does not, with a stand-in behind it that would hand out anything."""

import asyncio
import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.testclient import TestClient

from mmdemo.core import upload_folder
from mmdemo.core.errors import InputError
from mmdemo.serve import gate, uploads

MULTIPART = {"content-type": "multipart/form-data; boundary=x"}


class Behind:
    """Answers everything with 200 and remembers what reached it."""

    def __init__(self) -> None:
        self.reached: list[str] = []
        self.status, self.answer = 200, {}

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            return
        self.reached.append(scope["path"])
        while (await receive()).get("more_body"):
            pass
        await JSONResponse(self.answer, self.status)(scope, receive, send)


@pytest.fixture
def behind():
    return Behind()


@pytest.fixture
def visit(behind, tmp_path):
    def made(host="127.0.0.1", url="http://127.0.0.1", client=("10.0.0.1", 1), **rules) -> TestClient:
        rules = gate.Rules(host=host, uploads=tmp_path.resolve(), arrived=lambda path: path + ".clean", **rules)
        return TestClient(gate.Gate(behind, rules), base_url=url, client=client)

    return made


SERVED = [
    "/",
    "/config",
    "/theme.css",
    "/assets/index-x.js",
    "/static/fonts/a/b.woff2",
    "/picture/%2e%2e%2fx",
    "/start/3",
    "/gradio_api/info",
    "/gradio_api/queue/data?session_hash=x",
    "/gradio_api/heartbeat/abc",
    "/favicon.ico",
    "/yours/progress?draft=x",
    f"/yours/refused/{'a' * 32}",
    "/yours/refused/my-shop",
]
REFUSED = [
    "/etc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/assets/../../etc/passwd",
    "/assets/%2e%2e/%2e%2e/x",
    "/assets/..%2f..%2fx",
    "/assets/..\\x",
    "/assets/",
    "/static",
    "/assets/x/",
    "/assets/.git/config",
    "/index/default/manifest.json",
    "/mmdemo/cli.py",
    "/.env",
    "/gradio_api/file=/etc/passwd",
    "/gradio_api/file=../../etc/passwd",
    "/gradio_api/file=%2fetc%2fpasswd",
    "/gradio_api/file=http://example.com/",
    "/gradio_api/file=https:/example.com",
    "/gradio_api/file=a%00b",
    "/gradio_api/file/etc/passwd",
    "/gradio_api/proxy=http://example.com",
    "/gradio_api/stream/a/b/c/playlist.m3u8",
    "/gradio_api/custom_component/x/client/component/index.js",
    "/gradio_api/runs",
    "/gradio_api/run-history/records",
    "/gradio_api/deep_link",
    "/gradio_api/vibe-code",
    "/gradio_api/dev/reload",
    "/gradio_api/token",
    "/docs",
    "/openapi.json",
    "/redoc",
    "/monitoring",
    "/monitoring/summary",
    "/login_check",
    "/svelte/x",
    "//etc/passwd",
]


@pytest.mark.parametrize("path", SERVED)
def test_what_the_page_needs_is_served(visit, behind, path):
    assert visit().get(path).status_code == 200 and behind.reached


@pytest.mark.parametrize("path", SERVED)
@pytest.mark.parametrize("page", ["/c/my-shop", "/zh", "/zh/c/my%20shop"])
def test_so_it_is_for_every_page_of_the_site(visit, behind, page, path):
    assert visit().get(page + path).status_code == 200 and behind.reached
    if "/c/" in page:
        assert visit().get(page + "/c/other" + path).status_code == 404, "a page has no pages"


@pytest.mark.parametrize("page", ["", "/c/my-shop", "/zh"])
def test_programs_ask_in_one_request_on_every_page(visit, behind, page):
    assert visit().post(f"{page}/api/recommend", json={"text": "a"}).status_code == 200 and behind.reached
    for path in ("/api", "/api/", "/api/a/b", "/api/%2e%2e/config"):
        assert visit().post(page + path, json={}).status_code == 404


@pytest.mark.parametrize("path", REFUSED)
@pytest.mark.parametrize("page", ["/c/my-shop", "/zh", "/zh/c/my-shop"])
def test_and_nothing_else_below_them(visit, behind, page, path):
    assert visit().get(page + path).status_code == 404 and not behind.reached


@pytest.mark.parametrize("page", ["", "/c/my-shop"])
def test_files_of_a_catalogue_are_taken_only_where_that_is_allowed_and_no_larger_than_it_is(visit, behind, page):
    path = f"{page}/yours/file/{'a' * 32}/images/a.jpg"
    assert visit().post(path, content=b"x").status_code == 404 and not behind.reached
    allowed = visit(catalogue=30)
    assert allowed.post(path, content=b"\x00" * 30).status_code == 200 and behind.reached
    assert allowed.post(path, content=b"x" * 31).status_code == 413
    assert allowed.post(f"{page}/yours/other", content=b"x").status_code == 404
    assert allowed.post(path, content=b"x", headers={"origin": "https://evil.example"}).status_code == 403


@pytest.mark.parametrize("path", REFUSED)
def test_nothing_else_is(visit, behind, path):
    answer = visit().get(path)
    assert answer.status_code == 404 and not behind.reached
    assert "Traceback" not in answer.text and "passwd" not in answer.text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/"),
        ("POST", "/gradio_api/vibe-edit"),
        ("POST", "/gradio_api/process_recording"),
        ("PUT", "/config"),
        ("POST", "/gradio_api/component_server"),
        ("POST", "/login"),
        ("DELETE", "/"),
        ("TRACE", "/"),
        ("PATCH", "/config"),
        ("POST", "/gradio_api/run/recommend"),
        ("POST", "/gradio_api/api/predict"),
        ("POST", "/gradio_api/stream/x"),
    ],
)
def test_no_other_way_of_calling_reaches_the_page(visit, behind, method, path):
    assert visit().request(method, path).status_code == 404 and not behind.reached


def test_only_files_of_the_upload_folder_are_handed_out(visit, behind, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.png").write_bytes(b"x")
    (tmp_path / "l.png").symlink_to("/etc/passwd")
    assert visit().get(f"/gradio_api/file={tmp_path}/a/x.png").status_code == 200
    for path in (
        f"{tmp_path}/a",
        f"{tmp_path}/none",
        f"{tmp_path}/l.png",
        f"{tmp_path}/../../etc/passwd",
        str(tmp_path),
    ):
        assert visit().get(f"/gradio_api/file={path}").status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"},
        {"sec-fetch-site": "same-site"},
        {"origin": "http://127.0.0.1", "sec-fetch-site": "cross-site"},
        {"host": "evil.example"},
    ],
)
@pytest.mark.parametrize(("method", "path"), [("POST", "/gradio_api/queue/join"), ("GET", "/config")])
def test_calls_from_other_sites_are_refused(visit, behind, headers, method, path):
    assert visit().request(method, path, headers=headers).status_code == 403 and not behind.reached


def test_a_link_from_another_site_to_the_page_itself_works(visit):
    for page in ("/", "/c/shop", "/c/shop/", "/zh/"):
        came = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
        assert visit().get(page, headers=came).status_code == 200
    same = {"origin": "http://127.0.0.1", "sec-fetch-site": "same-origin"}
    assert visit().post("/gradio_api/queue/join", headers=same, json={"data": []}).status_code == 200


BODIES = [
    {"data": [{"path": "http://127.0.0.1:22/x.png", "meta": {"_type": "gradio.FileData"}}]},
    {"data": [[{"x": {"path": "HTTPS://example.com/x.png"}}]]},
    {"data": [{"path": " ftp://example.com/x"}]},
    {"data": [{"path": "file:///etc/passwd"}]},
    {"data": [{"path": "//example.com/x"}]},
    {"data": [{"path": "\\\\host\\share"}]},
    {"params": {"arguments": {"image": "http://169.254.169.254/"}}},
    {"data": [{"path": "app.py", "url": "http://127.0.0.1:1/x", "meta": {"_type": "gradio.FileData"}}]},
    {"data": [{"path": "", "meta": {"_type": "gradio.FileData"}}]},  # Gradio would answer with the folder it runs in
    {"data": [{"path": None, "meta": {"_type": "gradio.FileData"}}]},
]


@pytest.mark.parametrize("body", BODIES, ids=str)
@pytest.mark.parametrize("path", ["queue/join", "call/recommend", "call/v2/recommend", "run/predict"])
def test_a_picture_that_is_an_address_never_gets_as_far_as_being_fetched(visit, behind, body, path):
    answer = visit().post(f"/gradio_api/{path}", json=body)
    assert answer.status_code == 400 and "never fetched" in answer.json()["detail"] and not behind.reached


@pytest.mark.parametrize(
    "body", [b"{", b"\xff\xfe", b"[" * 100_000, b'{"data": [NaN]}', b'{"data": [Infinity]}', b"a=b"]
)
def test_a_body_that_is_no_json_is_refused(visit, behind, body):
    assert visit().post("/gradio_api/call/recommend", content=body).status_code == 400 and not behind.reached


def test_a_large_body_is_refused_whatever_its_header_says(visit, behind):
    def endless():
        for _ in range(100):
            yield b" " * 100_000

    for path in ("/gradio_api/queue/join", "/gradio_api/call/recommend"):
        assert visit().post(path, content=b" " * 2_000_000).status_code == 413
        assert visit().post(path, content=endless()).status_code == 413
    assert not behind.reached
    assert visit().post("/gradio_api/upload", content=b" " * 23_000_000, headers=MULTIPART).status_code == 413


def test_a_body_that_drips_is_given_up_and_a_slow_one_is_not():
    async def read(size: int) -> int:
        async def receive():
            return {"type": "http.request", "body": b"x" * size, "more_body": True}

        meter = gate._Meter(Headers(), 1 << 20, began=time.monotonic() - gate.SLOW - 10)
        await gate._metered(receive, meter)
        return meter.seen

    with ThreadPoolExecutor(1) as alone:  # the browser tests may hold this thread's event loop
        assert alone.submit(asyncio.run, read(100 * gate.SLOWEST)).result() == 100 * gate.SLOWEST
        with pytest.raises(gate.Refused, match="too slowly"):
            alone.submit(asyncio.run, read(9 * gate.SLOWEST)).result()


def test_a_full_queue_says_busy_try_again(visit, behind):
    behind.status, behind.answer = 503, {"detail": "Queue is full. Max size is 64 and size is 64."}
    answer = visit().post("/gradio_api/queue/join", json={})
    assert answer.status_code == 503 and answer.json()["detail"] == gate.BUSY and answer.headers["retry-after"]


def test_a_server_that_stops_takes_no_new_work_but_still_answers(visit, tmp_path, behind):
    rules = gate.Rules("127.0.0.1", tmp_path, str, stopping=True)
    client = TestClient(gate.Gate(behind, rules), base_url="http://127.0.0.1")
    assert client.post("/gradio_api/queue/join", json={}).status_code == 503
    assert client.get("/gradio_api/queue/data").status_code == 200


def test_each_client_may_ask_so_often_and_then_has_to_wait(visit):
    bucket = gate.Bucket(rate=0.001, burst=5)
    one, two = visit(calls=bucket), visit(calls=bucket, client=("10.0.0.2", 1))
    said = [one.post("/gradio_api/queue/join", json={}).status_code for _ in range(7)]
    assert said == [200] * 5 + [429] * 2
    assert two.post("/gradio_api/queue/join", json={}).status_code == 200
    assert one.get("/").status_code == 200, "looking is not counted"


def test_whoever_has_many_addresses_of_one_network_is_one_client(visit):
    """A line at home brings 2^64 addresses of IPv6: counted one by one, nobody would be."""
    counted = gate.Bucket(rate=0.001, burst=2)

    def said(address: str) -> int:
        return visit(calls=counted, client=(address, 1)).post("/gradio_api/queue/join", json={}).status_code

    assert [said(f"2001:db8:1:2::{n}") for n in range(4)] == [200, 200, 429, 429]
    assert said("2001:db8:1:3::1") == 200, "a neighbour"
    assert [said("10.0.0.1"), said("::ffff:10.0.0.1"), said("10.0.0.1"), said("10.0.0.2")] == [200, 200, 429, 200]
    guessing = gate.Bucket(rate=0.001, burst=3)
    wrong = {"authorization": f"Basic {base64.b64encode(b'me:no').decode()}"}
    wide = gate.Bucket(rate=0.001, burst=2)
    nets = [wide.wait(gate._client(f"2001:db8:5:{n:x}::1"), 0.0) for n in range(100)]
    assert nets.count(0.0) == 2 * gate.NEIGHBOURS, "a line that has a /48 is not 65,536 clients"
    tried = [visit(password="x", guesses=guessing, client=(f"2001:db8::{n}", 1)) for n in range(5)]
    assert [client.get("/", headers=wrong).status_code for client in tried] == [401] * 3 + [429] * 2


def test_a_bucket_fills_again_and_forgets_those_it_has_not_seen_for_long():
    bucket = gate.Bucket(rate=2, burst=2)
    assert [bucket.wait("a", 0) for _ in range(3)] == [0, 0, 0.5] and bucket.wait("a", 0.6) == 0
    for n in range(20_000):
        bucket.wait(str(n), 1)
    assert len(bucket._left) <= 10_000


def test_a_password_guards_everything_and_cannot_be_guessed_at_leisure(visit, behind):
    client = visit(password="oh só secret")

    def said(password: str, path="/") -> int:
        given = base64.b64encode(f"me:{password}".encode()).decode()
        return client.get(path, headers={"authorization": f"Basic {given}"}).status_code

    for path in ("/", "/config", "/picture/a", "/assets/x.js"):
        assert client.get(path).status_code == 401
    assert client.post("/gradio_api/queue/join", json={}).status_code == 401 and not behind.reached
    assert client.get("/", headers={"authorization": "Basic %%%"}).status_code == 401
    assert said("oh só secret") == 200
    assert {said(f"guess {n}") for n in range(30)} == {401, 429}


def test_agents_are_served_only_where_they_were_asked_for_and_then_counted_and_asked_like_anybody(visit, behind):
    assert visit().get("/gradio_api/mcp/").status_code == visit().post("/gradio_api/mcp/", json={}).status_code == 404
    assert not behind.reached
    assert visit(tools=True).post("/gradio_api/mcp/", json={}).status_code == 200
    assert visit(tools=True, password="x").post("/gradio_api/mcp/", json={}).status_code == 401
    counted = visit(tools=True, calls=gate.Bucket(rate=0.001, burst=1))
    assert [counted.post("/gradio_api/mcp/", json={}).status_code for _ in range(2)] == [200, 429]


def test_in_public_there_is_no_camera(visit):
    public = visit(public=True, url="http://demo.example")
    assert "camera=()" in public.get("/").headers["permissions-policy"]
    assert "camera=(self)" in visit().get("/").headers["permissions-policy"]


@pytest.mark.parametrize("path", ["/", "/nothing", "/gradio_api/file=/etc/passwd"])
def test_every_answer_wears_its_headers(visit, path):
    headers = visit().get(path).headers
    assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy and "connect-src 'self'" in policy and "http" not in policy


def test_the_path_that_an_upload_returns_is_the_one_that_was_drawn_anew(visit, behind):
    behind.answer = ["/tmp/x/a.jpg"]
    assert visit().post("/gradio_api/upload", content=b"x", headers=MULTIPART).json() == ["/tmp/x/a.jpg.clean"]


def test_more_pictures_at_once_than_the_page_asks_for_are_refused_and_not_kept(behind, tmp_path):
    """Five hundred of them fit into one upload, and each may take a second to draw anew."""
    drawn, sent = [], [tmp_path / f"{n}.png" for n in range(gate.PICTURES_AT_ONCE + 1)]
    client = TestClient(
        gate.Gate(behind, gate.Rules("127.0.0.1", tmp_path, lambda path: drawn.append(path) or path)),
        base_url="http://127.0.0.1",
    )
    for pictures, status in ((sent, 413), (sent[1:], 200)):
        for path in pictures:
            path.write_bytes(b"x")
        behind.answer = [str(path) for path in pictures]
        assert client.post("/gradio_api/upload", content=b"x", headers=MULTIPART).status_code == status
        assert len(drawn) == len(list(tmp_path.iterdir())) == (0 if status == 413 else gate.PICTURES_AT_ONCE)


def test_an_upload_that_trips_gradio_is_one_sentence(tmp_path):
    async def tripping(scope, receive, send):
        raise ValueError("a secret of the house")

    rules = gate.Rules("127.0.0.1", tmp_path, str)
    client = TestClient(gate.Gate(tripping, rules), base_url="http://127.0.0.1")
    answer = client.post("/gradio_api/upload", content=b"x", headers=MULTIPART)
    assert answer.status_code == 400 and "secret" not in answer.text and answer.json()["detail"].endswith(".")


# What is kept of an upload


def picture_with_secrets(path):
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(0x8825)[1] = "N"
    Image.effect_noise((800, 600), 90).convert("RGB").save(path, "JPEG", exif=exif, comment=b"SecretComment")


def test_of_an_upload_only_pixels_are_kept_and_the_answer_is_the_same(tmp_path):
    from mmdemo.catalog.imaging import decode

    original = tmp_path / "at-home.jpg"
    picture_with_secrets(original)
    expected = decode(original, max_side=uploads.SIDE)
    kept = uploads.draw_anew(str(original))
    assert not original.exists() and [str(p) for p in tmp_path.iterdir()] == [kept]
    data = open(kept, "rb").read()
    assert b"Secret" not in data and b"eXIf" not in data and "home" not in kept
    assert uploads.read(kept, tmp_path.resolve()).tobytes() == expected.tobytes()


def test_of_a_refused_upload_nothing_is_kept_but_the_reason(tmp_path):
    letter = tmp_path / "letter.png"
    letter.write_bytes(b"Dear Sir or Madam, my password is hunter2")
    kept = uploads.draw_anew(str(letter))
    assert not letter.exists() and b"hunter2" not in open(kept, "rb").read()
    with pytest.raises(InputError, match=r"letter\.png.*not a picture"):
        uploads.read(kept, tmp_path.resolve())


def test_the_same_file_sent_twice_at_once_is_the_same_picture(tmp_path):
    """Gradio gives both the same path, and the first to be drawn anew takes the file away."""
    picture_with_secrets(tmp_path / "p.jpg")
    kept = uploads.draw_anew(str(tmp_path / "p.jpg"))
    assert uploads.draw_anew(str(tmp_path / "p.jpg")) == kept
    assert uploads.read(kept, tmp_path.resolve()).size == (512, 384)


def test_only_what_was_uploaded_is_read(tmp_path):
    (tmp_path / "up").mkdir()
    picture_with_secrets(tmp_path / "mine.jpg")
    (tmp_path / "up" / "link.png").symlink_to(tmp_path / "mine.jpg")
    for path in (
        tmp_path / "mine.jpg",
        tmp_path / "up" / ".." / "mine.jpg",
        tmp_path / "up" / "link.png",
        "a\0b",
        "/dev/zero",
    ):
        with pytest.raises(InputError, match="not uploaded"):
            uploads.read(str(path), (tmp_path / "up").resolve())


def test_uploads_are_deleted_when_they_were_not_used_for_an_hour(tmp_path):
    import os

    for name, age in (("old/a.png", 3700), ("new/b.png", 10)):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    uploads.sweep(tmp_path)
    uploads.sweep(tmp_path)
    assert uploads.KEPT == 3600 and [p.name for p in tmp_path.iterdir()] == ["new"]


def test_what_a_killed_server_left_is_deleted_by_the_next(tmp_path, monkeypatch):
    import subprocess
    import sys

    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (tmp_path / f"{upload_folder.PREFIX}{gone.pid}-x").mkdir()
    (tmp_path / f"{upload_folder.PREFIX}1-x").mkdir()
    made = upload_folder.make_folder()
    assert {p.name for p in tmp_path.iterdir()} == {f"{upload_folder.PREFIX}1-x", made.name}
    assert made.stat().st_mode & 0o077 == 0, "for nobody else to read"
    upload_folder.remove(made)
    assert not made.exists()


def test_json_of_refusals_is_what_the_page_shows(visit):
    assert set(json.loads(visit().get("/x").text)) == {"detail", "error"}


def test_an_unknown_address_answers_people_with_a_page_and_programs_with_json(visit):
    page = visit().get("/nothing", headers={"accept": "text/html,*/*"})
    assert page.status_code == 404 and page.headers["content-type"].startswith("text/html")
    assert "There is nothing at this address." in page.text and 'href="/"' in page.text
    chinese = visit().get("/zh/<nothing>", headers={"accept": "text/html"}).text
    assert 'lang="zh"' in chinese and 'href="/zh/"' in chinese and "There is" not in chinese
    assert visit().get("/nothing").json()["error"] == "There is nothing at this address."
    assert visit().post("/nothing", headers={"accept": "text/html"}).json()["detail"]


def test_bodies_that_drip_hold_no_place_that_others_need(behind, tmp_path):
    """64 requests of one address that never end: another address is answered meanwhile."""
    rules = gate.Rules("127.0.0.1", tmp_path, str, at_once=8, bodies_at_once=4)
    served = gate.Gate(behind, rules)

    async def post(client: str, receive) -> int:
        scope = {"type": "http", "method": "POST", "path": "/gradio_api/queue/join", "query_string": b""}
        scope |= {"headers": [(b"host", b"127.0.0.1")], "client": (client, 1)}
        statuses = []

        async def send(message):
            statuses.append(message.get("status", 0))

        await served(scope, receive, send)
        return statuses[0]

    async def attacked() -> tuple[list[int], int, int]:
        ended = asyncio.Event()

        async def dripping():
            await ended.wait()
            return {"type": "http.request", "body": b"{}", "more_body": False}

        async def whole():
            return {"type": "http.request", "body": b"{}", "more_body": False}

        slow = [asyncio.create_task(post("10.0.0.1", dripping)) for _ in range(64)]
        while sum(task.done() for task in slow) < 60:
            await asyncio.sleep(0)
        other, same = await post("10.0.0.2", whole), await post("10.0.0.1", whole)
        ended.set()
        return [await task for task in slow], other, same

    with ThreadPoolExecutor(1) as alone:  # the browser tests may hold this thread's event loop
        slow, other, same = alone.submit(asyncio.run, attacked()).result()
    assert sorted(slow) == [200] * 4 + [503] * 60 and (other, same) == (200, 503)


def test_whoever_gave_the_password_stays_in_while_somebody_beside_them_guesses(visit):
    client = visit(password="right", guesses=gate.Bucket(rate=0.001, burst=2))
    given = {
        word: {"authorization": f"Basic {base64.b64encode(f'me:{word}'.encode()).decode()}"} for word in ("right", "no")
    }
    assert client.get("/", headers=given["right"] | {"sec-fetch-mode": "navigate"}).status_code == 200
    kept = dict(client.cookies)
    client.cookies.clear()
    assert [client.get("/", headers=given["no"]).status_code for _ in range(3)] == [401, 401, 429]
    assert client.get("/", headers=given["right"]).status_code == 429
    assert client.get("/", headers=given["right"], cookies=kept).status_code == 200
    assert client.get("/", cookies={gate.PASS: "made up"}).status_code == 401


def test_gradios_own_first_call_needs_no_password_and_nobody_elses_does(visit):
    address = "/gradio_api/startup-events"
    assert visit(password="x").get(address).status_code == 401, "not of this machine"
    own = visit(password="x", client=("127.0.0.1", 1))
    assert [own.get(address).status_code for _ in range(2)] == [200, 401]


@pytest.mark.parametrize("name", ["x" * 65, "\ud800", "", "a b", 7, ["x"]], ids=ascii)
def test_the_name_of_a_session_is_short_and_plain(visit, behind, name):
    body = json.dumps({"data": [], "session_hash": name})
    for path in ("queue/join", "run/predict", "call/recommend", "cancel"):
        assert visit().post(f"/gradio_api/{path}", content=body).status_code in (400, 404)
    if isinstance(name, str) and name.isascii():
        assert visit().get("/gradio_api/queue/data", params={"session_hash": name}).status_code == 400
        assert visit().get(f"/gradio_api/heartbeat/{name}").status_code == 404
    assert not behind.reached
    plain = {"data": [], "session_hash": "3f2c9a10-77aa-4c11-9d5e-0123456789ab"}
    assert visit().post("/gradio_api/queue/join", json=plain).status_code == 200
