"""Open an index and serve the demo: python app.py [--index INDEX] [--host HOST] [--port PORT] [--public]."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from mmdemo.errors import InputError
from mmdemo.home import HOME, share_cores

share_cores()

DEFAULT = HOME / "index" / "default"


def arguments() -> argparse.Namespace:
    """The command line; argparse ends a wrong one with code 2."""
    parser = argparse.ArgumentParser(description="Show a product catalogue: a photo and a sentence in, products out.")
    parser.add_argument("--index", type=Path, default=DEFAULT, help="folder made by `python -m mmdemo build`")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (0.0.0.0: every network)")
    parser.add_argument("--port", type=int, help="port to listen on (default: 7860, or the next free one)")
    parser.add_argument("--public", action="store_true", help="for strangers: limits for each of them, no camera")
    parser.add_argument("--mcp", action="store_true", help="serve agents too: the same functions as MCP tools")
    chosen = parser.parse_args()
    if chosen.port is not None and not 1 <= chosen.port <= 65535:
        parser.error(f"argument --port: expected 1 to 65535, found {chosen.port}")
    return chosen


def main() -> int:
    """0 after an ordinary end, 1 with one sentence where the input is at fault."""
    chosen = arguments()
    try:
        from mmdemo.live import open_live
        from mmdemo.ui import serve

        password = os.environ.get("MMDEMO_PASSWORD", "")
        live = open_live(chosen.index)
        serve(live, chosen.host, chosen.port, public=chosen.public, password=password, mcp=chosen.mcp)
    except InputError as error:
        print(f"mmdemo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
