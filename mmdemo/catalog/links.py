"""Reads which products go together from a `links.csv` beside the catalogue, and stores it with an index.

    id,other_id,kind,source
    mug-1,plate-4,table setting,

A link holds in both directions. The page marks links whose column `source` or `kind` is "simulated".
It knows nothing of embeddings.
"""

import json
from collections.abc import Container, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from mmdemo.catalog.product import column_name
from mmdemo.catalog.table import read_table
from mmdemo.core.errors import InputError
from mmdemo.core.gzip_text import read_gzip, write_gzip
from mmdemo.core.messages import Message, joined, listed

FILE = "links.csv"
STORED = "links.jsonl.gz"  # its name in an index
STORED_PLAIN = "links.jsonl"  # and in one of format 5
COLUMNS = ("id", "other_id")
LONGEST = 60  # characters of a kind
Note = tuple[int, str, str]  # line, product id, reason


@dataclass(frozen=True)
class Link:
    """Two products that go together; `kind` is how ("table setting"), empty where the file does not say."""

    id: str
    other_id: str
    kind: str = ""
    simulated: bool = False

    def other(self, product_id: str) -> str:
        """The product at the other end."""
        return self.other_id if product_id == self.id else self.id


def read_links(path: Path, product_ids: Container[str]) -> tuple[tuple[Link, ...], list[Note]]:
    """The links between products of these ids, and notes on lines left out: unknown ids, loops, repeated pairs.

    A file that cannot be read at all is one note, since a catalogue can do without links.
    """
    try:
        table = read_table(path, ["id", "other_id", "kind", "source"])
    except InputError as error:
        return (), [(0, "", error.message)]
    names = [column_name(column) for column in table.columns]
    if missing := [name for name in COLUMNS if name not in names]:
        headings = ["".join(c if c.isprintable() else "?" for c in name[:30]) for name in names[:8]]
        note = Message(
            "expected the columns id, other_id and kind, found {headings}; missing: {missing}, so no links",
            headings=joined(", ", [f"'{name}'" for name in headings]),
            missing=listed([f"'{name}'" for name in missing]),
        )
        return (), [(1, "", note)]
    links: dict[frozenset[str], Link] = {}
    notes = [(line, "", reason) for line, reason in table.broken]
    for line, cells in table.rows:
        row = {name: cell.strip() for name, cell in zip(names, cells, strict=True)}
        first_id, other_id = row["id"], row["other_id"]
        if unknown := [i for i in (first_id, other_id) if i not in product_ids]:
            note = Message("there is no product '{id}' in the catalogue", id=unknown[0][:80])
            notes.append((line, first_id[:80], note))
        elif first_id == other_id:
            notes.append((line, first_id, Message("a product cannot go with itself")))
        else:
            simulated = "simulated" in (row.get("source", "").casefold(), row.get("kind", "").casefold())
            link = Link(first_id, other_id, row.get("kind", "")[:LONGEST], simulated)
            if links.setdefault(frozenset((first_id, other_id)), link) != link:
                note = Message(
                    "'{id}' and '{other}' are linked already; the first line counts", id=first_id, other=other_id
                )
                notes.append((line, first_id, note))
    return tuple(links.values()), notes


def write(links: Iterable[Link], path: Path) -> None:
    """Write the links of an index, one JSON object a line."""
    write_gzip(path, "".join(json.dumps(asdict(link), ensure_ascii=False) + "\n" for link in links))


def read_stored(path: Path, product_ids: Container[str]) -> tuple[Link, ...]:
    """The links that `write` wrote, packed or not; ValueError or TypeError for a file of any other content."""
    links = []
    text = read_gzip(path) if path.suffix == ".gz" else path.read_text("utf-8")
    for line in text.split("\n")[:-1]:  # not splitlines: a kind may hold other line separators
        link = Link(**json.loads(line))
        good = all(isinstance(x, str) for x in (link.id, link.other_id, link.kind)) and isinstance(link.simulated, bool)
        if not good or link.id not in product_ids or link.other_id not in product_ids:
            raise ValueError(f"a link of another type or to an unknown product, {line[:80]!r}")
        links.append(link)
    return tuple(links)
