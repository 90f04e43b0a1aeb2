"""Decodes pictures that come over standard input, and writes their pixels to standard output.

`decoder_process` starts it; its docstring describes the format of both.
"""

import json
import struct
import sys

from mmdemo.catalog import imaging
from mmdemo.catalog.decoder_process import limit_memory, memory, read_exactly
from mmdemo.core.errors import InputError
from mmdemo.core.messages import as_json


def main() -> None:
    """Answer until the input ends, within a limit on memory."""
    limit_memory(memory())
    while head := sys.stdin.buffer.read(8):
        max_side, length = struct.unpack("<II", head)
        data = read_exactly(sys.stdin.buffer, length)
        try:
            picture = imaging.decode_here(data, max_side or None)
            size, answer = picture.size, picture.tobytes()
        except InputError as error:
            size, answer = (0, 0), json.dumps(as_json(error.message)).encode()
        sys.stdout.buffer.write(struct.pack("<III", *size, len(answer)) + answer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
