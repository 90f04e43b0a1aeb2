"""Fetches pictures from web addresses into a folder, where the operator allows it: within limits, from public hosts.

Two at a time from a host, under a name that says which program asks. A picture that is there is not fetched again, so
an interrupted run goes on. It knows nothing of products.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mmdemo.catalog import imaging
from mmdemo.core.errors import InputError
from mmdemo.core.messages import Message
from mmdemo.core.progress import Progress, silent
from mmdemo.core.spreadsheet import write_csv
from mmdemo.core.version import __version__

if TYPE_CHECKING:  # its import takes as long as reading a table; only who fetches waits for it
    import httpx

FOLDER = ".fetched"  # in an index's folder
FAILED = "failed.csv"  # in FOLDER: what could not be fetched, and why
AGENT = f"mmdemo/{__version__} (product search; fetches the pictures of one catalogue for its owner)"
LARGEST = 64 << 20  # bytes of one picture
SECONDS = 60.0  # for one picture with its redirects
SILENCE = 15.0  # seconds without a byte
MOST_REDIRECTS = 5
AT_ONCE = 2  # requests to one host
MOST_HOSTS = 8  # hosts that are asked at once


def is_address(cell: str) -> bool:
    """Whether a cell is a web address.

    >>> is_address("HTTPS://example.com/a.jpg"), is_address("images/a.jpg")
    (True, False)
    """
    return cell[:8].lower().startswith(("http://", "https://"))


def fetched_file(folder: Path | None, address: str) -> Path:
    """Where the picture of an address lies in a folder of fetched ones, if it does."""
    return (folder or Path()) / hashlib.sha256(address.encode()).hexdigest()


class WebPictures:
    """The pictures behind web addresses, kept in one folder.

    Parameters
    ----------
    folder
        Where they are kept; None for a first look at a table: then every address is taken for a picture, unseen.
    progress
        Is told how many are there.
    most
        Bytes of all pictures together; None for as many as the disk holds.
    allowed
        Hosts, as "127.0.0.1:8000", that are asked though they are not public ones.

    Examples
    --------
    >>> WebPictures(None).file("https://example.com/a.jpg") is None
    True
    """

    def __init__(
        self,
        folder: Path | None,
        *,
        progress: Progress = silent,
        most: int | None = None,
        allowed: frozenset[str] = frozenset(),
    ) -> None:
        self.folder = folder
        self.failures: dict[str, Message] = {}  # address -> why it could not be fetched
        self._progress, self._most, self._allowed = progress, most, allowed
        self._hosts: defaultdict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(AT_ONCE))
        self._lock, self._done, self._bytes = threading.Lock(), 0, 0

    def file(self, address: str) -> Path | None:
        """Where the picture of an address lies; None where it was not fetched."""
        if self.folder is None:
            return None
        path = fetched_file(self.folder, address)
        return path if path.is_file() else None

    @property
    def list_of_failures(self) -> str:
        """The file that lists what could not be fetched, as messages name it."""
        return f"{FOLDER}/{FAILED}"

    def fetch(self, addresses: Iterable[str]) -> None:
        """Fetch the pictures that are not there yet; what failed is in `failures`, and in FAILED with the reason."""
        every = list(dict.fromkeys(addresses))
        if self.folder is None or not every:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        for part in self.folder.glob("*.part"):
            part.unlink()
        missing = [address for address in every if self.file(address) is None]
        self._done, self._bytes = len(every) - len(missing), sum(f.stat().st_size for f in self.folder.iterdir())
        self._progress(self._done, len(every), "fetching pictures")
        by_host: dict[str, deque[str]] = {}
        for address in missing:
            by_host.setdefault(_host(address), deque()).append(address)
        with _client(self._allowed) as client, ThreadPoolExecutor(MOST_HOSTS * AT_ONCE) as pool:
            queues = [queue for queue in by_host.values() for _ in range(min(AT_ONCE, len(queue)))]
            for work in [pool.submit(self._fetch_of_host, client, queue, len(every)) for queue in queues]:
                work.result()
        with (self.folder / FAILED).open("w", newline="", encoding="utf-8") as file:
            write_csv(file, [("address", "reason"), *((a, str(why)) for a, why in self.failures.items())])

    def _fetch_of_host(self, client: httpx.Client, queue: deque[str], total: int) -> None:
        """Fetch the addresses of one host, one after the other; several threads share its queue."""
        import httpcore
        import httpx

        assert self.folder is not None
        while True:
            try:
                address = queue.popleft()
            except IndexError:
                return
            part = self.folder / f"{threading.get_ident()}.part"
            try:
                self._download(client, address, part)
                imaging.probe(part.read_bytes())
                part.replace(fetched_file(self.folder, address))
            except InputError as error:
                self._fail(address, error.message)
            except (httpx.HTTPError, httpx.InvalidURL, httpcore.NetworkError, OSError, ValueError) as error:
                reason = " ".join(str(error).split())[:120] or type(error).__name__
                self._fail(address, Message("the address does not answer ({reason})", reason=reason))
            finally:
                part.unlink(missing_ok=True)
            with self._lock:
                self._done += 1
                self._progress(self._done, total, "fetching pictures")

    def _fail(self, address: str, why: Message) -> None:
        with self._lock:
            self.failures[address] = why

    def _download(self, client: httpx.Client, address: str, target: Path) -> None:
        """Write what an address answers into a file; InputError for what is refused."""
        import httpx

        until, url = time.monotonic() + SECONDS, httpx.URL(address)
        for _ in range(MOST_REDIRECTS + 1):
            if url.scheme not in ("http", "https") or not url.host:
                raise InputError("only addresses of http and https are fetched")
            with self._hosts[url.host], client.stream("GET", url) as response:
                if response.next_request is None:
                    self._write(response, target, until)
                    return
                url = response.next_request.url
        raise InputError("the address leads on more than {n} times", n=MOST_REDIRECTS)

    def _write(self, response: httpx.Response, target: Path, until: float) -> None:
        if response.status_code != 200:
            raise InputError("the address answers {status}", status=response.status_code)
        size = 0
        with target.open("wb") as file:
            for piece in response.iter_bytes():
                size += len(piece)
                if size > LARGEST:
                    raise InputError("the picture has more than {n} MB", n=LARGEST >> 20)
                if time.monotonic() > until:
                    raise InputError("the picture takes longer than {n} seconds", n=int(SECONDS))
                with self._lock:
                    self._bytes += len(piece)
                    if self._most is not None and self._bytes > self._most:
                        raise InputError("the pictures have more than {n} MB together", n=self._most >> 20)
                file.write(piece)


def _client(allowed: frozenset[str]) -> httpx.Client:
    import httpx

    from mmdemo.catalog.public_hosts import PublicTransport

    # trust_env: a proxy would resolve names by itself. Redirects are followed one by one, each checked.
    headers = {"User-Agent": AGENT, "Accept": "image/*", "Accept-Encoding": "identity"}
    timeout = httpx.Timeout(SILENCE)
    return httpx.Client(transport=PublicTransport(allowed), headers=headers, timeout=timeout, trust_env=False)


def _host(address: str) -> str:
    with suppress(ValueError):
        return (urlsplit(address).hostname or "").lower()
    return ""
