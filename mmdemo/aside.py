"""A decoder process of its own for AVIF and HEIC, whose streams may hold far more pixels than their headers say.

Their codecs allocate what the stream asks for, and no header tells beforehand. So one child process, started with the
first such picture, decodes them under a limit on its memory; if it dies, that picture is refused and the next one gets
a new child.

Asked over its standard input: two 32-bit numbers (the longest side or 0, the length) and the file's bytes. Answered
over its standard output: three 32-bit numbers (width, height, length) and RGB pixels, or 0, 0, length and a sentence.
"""

import os
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

from PIL import Image

from mmdemo.errors import InputError

MEMORY = 400_000_000  # bytes that the child may use beyond what Python itself takes
SECONDS = 30  # for one picture

_child: subprocess.Popen[bytes] | None = None
_lock = threading.Lock()


def decode(data: bytes, max_side: int | None) -> Image.Image:
    """The picture in these bytes as `imaging.decode` gives it, decoded by the child. Raises InputError."""
    global _child
    with _lock:
        if _child is None or _child.poll() is not None:
            _child = _start()
        child = _child
        alarm = threading.Timer(SECONDS, child.kill)
        alarm.start()
        try:
            assert child.stdin and child.stdout
            child.stdin.write(struct.pack("<II", max_side or 0, len(data)) + data)
            child.stdin.flush()
            width, height, length = struct.unpack("<III", _exactly(child.stdout, 12))
            answer = _exactly(child.stdout, length)
        except (OSError, EOFError) as error:
            child.kill()
            child.wait()
            _child = None
            raise InputError("The picture needs more memory or time than it is given; save it as JPEG.") from error
        finally:
            alarm.cancel()
    if not width:
        raise InputError(answer.decode())
    return Image.frombytes("RGB", (width, height), answer)


def _start() -> subprocess.Popen[bytes]:
    home = str(Path(__file__).resolve().parent.parent)
    env = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    env["PYTHONPATH"] = os.pathsep.join(filter(None, (home, env.get("PYTHONPATH"))))
    command = [sys.executable, "-m", "mmdemo.aside"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env)


def _exactly(stream: IO[bytes], count: int) -> bytes:
    data = stream.read(count)
    if len(data) < count:
        raise EOFError
    return data


def main() -> None:
    """The child: answers until its input ends."""
    from mmdemo import imaging

    limit_memory(MEMORY)
    while head := sys.stdin.buffer.read(8):
        max_side, length = struct.unpack("<II", head)
        data = _exactly(sys.stdin.buffer, length)
        try:
            picture = imaging.decode_here(data, max_side or None)
            size, answer = picture.size, picture.tobytes()
        except InputError as error:
            size, answer = (0, 0), str(error).encode()
        sys.stdout.buffer.write(struct.pack("<III", *size, len(answer)) + answer)
        sys.stdout.buffer.flush()


def limit_memory(more: int) -> None:
    """Allow this process so many bytes beyond what it has now, where the system can; then MemoryError."""
    try:
        import resource

        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + more, used + more))
    except (ImportError, OSError, ValueError):
        pass  # not on this system: what remains is that the child, and not the server, would be ended


if __name__ == "__main__":
    main()
