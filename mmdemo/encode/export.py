"""Export an encoder's towers in a process of its own: python -m mmdemo.encode.export SPEC

A server starts it at a low priority and answers by PyTorch meanwhile; nothing of the export stays in its memory.
"""

import os
import subprocess
import sys

from mmdemo.encode.encoder import Encoder


def export_apart(encoder: Encoder) -> None:
    """Export an encoder's towers by another process, and let it use them from then on. Returns when that is done."""
    if encoder.exported:
        return
    subprocess.run(
        [sys.executable, "-m", "mmdemo.encode.export", encoder.spec],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )
    encoder.use_exports()


if __name__ == "__main__":
    if hasattr(os, "nice"):
        os.nice(10)
    Encoder.load(sys.argv[1]).export()
