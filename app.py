"""Open an index and serve the demo: python app.py [--index INDEX] [--host HOST] [--port PORT] [--public] [--mcp]."""

import sys

from mmdemo.cli import main

if __name__ == "__main__":
    main(["serve", *sys.argv[1:]])
