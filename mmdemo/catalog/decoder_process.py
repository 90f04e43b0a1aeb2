"""Decodes AVIF and HEIC in a child process, since their streams may hold far more pixels than their headers say.

Their codecs allocate what the stream asks for, which no header tells beforehand. So one child process, started with
the first such picture, decodes them under a limit on its memory. A picture that it cannot decode is tried once more by
a new child, since what earlier ones left in memory must not cost a good one; then it is refused.

The child runs `decoder_child`. Its standard input takes two 32-bit numbers (the longest side or 0, the length) and the
file's bytes. Its standard output has three 32-bit numbers (width, height, length) and RGB pixels, or 0, 0, length and
a message as JSON.
"""

import json
import os
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

from PIL import Image

from mmdemo.core.errors import InputError
from mmdemo.core.messages import Message, from_json

LEAST_MEMORY, MOST_MEMORY = 400_000_000, 1_200_000_000  # bytes that the child may use beyond what Python itself takes
SHARE = 3  # of the memory that is free, it is given one in so many
SECONDS = 30  # for one picture

_child: subprocess.Popen[bytes] | None = None
_lock = threading.Lock()


def memory() -> int:
    """How many bytes the child is given: a share of what the machine has free, where it says how much that is."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return LEAST_MEMORY
    return min(MOST_MEMORY, max(LEAST_MEMORY, free // SHARE))


def decode(data: bytes, max_side: int | None) -> Image.Image:
    """The picture in these bytes as `imaging.decode` gives it, decoded by the child. Raises InputError."""
    global _child
    with _lock:
        while True:
            if fresh := _child is None or _child.poll() is not None:
                _child = _start()
            assert _child is not None
            try:
                return _asked(_child, data, max_side)
            except InputError:
                if fresh:
                    raise
                _child.kill()
                _child.wait()
                _child = None


def _asked(child: subprocess.Popen[bytes], data: bytes, max_side: int | None) -> Image.Image:
    alarm = threading.Timer(SECONDS, child.kill)
    alarm.start()
    try:
        assert child.stdin and child.stdout
        child.stdin.write(struct.pack("<II", max_side or 0, len(data)) + data)
        child.stdin.flush()
        width, height, length = struct.unpack("<III", read_exactly(child.stdout, 12))
        answer = read_exactly(child.stdout, length)
    except (OSError, EOFError) as error:
        child.kill()
        child.wait()
        raise InputError(
            "{name} needs more memory or time than it is given; save it as JPEG.", name=Message("The picture")
        ) from error
    finally:
        alarm.cancel()
    if not width:
        raise InputError(from_json(json.loads(answer)))
    return Image.frombytes("RGB", (width, height), answer)


def _start() -> subprocess.Popen[bytes]:
    repository = str(Path(__file__).resolve().parents[2])
    env = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    env["PYTHONPATH"] = os.pathsep.join(filter(None, (repository, env.get("PYTHONPATH"))))
    command = [sys.executable, "-m", "mmdemo.catalog.decoder_child"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env)


def read_exactly(stream: IO[bytes], count: int) -> bytes:
    """The next `count` bytes of a stream; EOFError where it has fewer."""
    data = stream.read(count)
    if len(data) < count:
        raise EOFError
    return data


def limit_memory(more: int) -> None:
    """Limit this process to `more` bytes beyond what it uses now, where the system can; past that, MemoryError."""
    try:
        import resource

        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + more, used + more))
    except (ImportError, OSError, ValueError):
        pass  # not on this system: there the child, but not the server, may be killed for its memory
