"""The one reader of files of queries beside a catalogue, such as `queries.csv`: rows of cells, not yet understood."""

import csv
from pathlib import Path


def query_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a file of queries, cells stripped; surplus cells are left out. Raises what reading a file raises."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return [
            {name: (cell or "").strip() for name, cell in row.items() if name and not isinstance(cell, list)}
            for row in csv.DictReader(lines)
        ]
