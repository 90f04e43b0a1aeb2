"""Is somebody else answered while one address holds a thousand connections that say or read nothing?

python -m stress.strangers URL [--connections 1100]

Start the server with few handles, as in `sh -c 'ulimit -n 1024; python app.py --public'`. For each kind of connection
it prints how long another address waits for the page, ten times, a second apart.
"""

import argparse
import resource
import socket
import time
from urllib.parse import urlsplit

PAGE = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
KINDS = {
    "half a head": b"GET / HTTP/1.1\r\nHost: 12",
    "nothing": b"",
    "twenty pages, none of them read": PAGE * 20,
    "a stream that is never read": PAGE.replace(b"/ ", b"/gradio_api/heartbeat/x "),
}


def wait(address: tuple[str, int]) -> float:
    """Seconds until another visitor has the page."""
    began = time.monotonic()
    with socket.create_connection(address, timeout=60, source_address=("127.0.0.2", 0)) as visitor:
        visitor.sendall(PAGE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        start = visitor.recv(1 << 20)
        while visitor.recv(1 << 20):
            pass
    assert start.startswith(b"HTTP/1.1 200"), start[:100]
    return time.monotonic() - began


def main() -> None:
    """Hold connections of each kind, and ask beside them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("url")
    parser.add_argument("--connections", type=int, default=1100)
    given = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    parts = urlsplit(given.url)
    address = (parts.hostname or "127.0.0.1", parts.port or 80)
    for kind, said in KINDS.items():
        held = []
        for _ in range(given.connections):
            connection = socket.socket()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(address)
            connection.sendall(said)
            held.append(connection)
        waits = []
        for _ in range(10):
            waits.append(wait(address))
            time.sleep(1)
        print(f"{kind}: {' '.join(f'{seconds:.2f}' for seconds in waits)} s", flush=True)
        for connection in held:
            connection.close()


if __name__ == "__main__":
    main()
