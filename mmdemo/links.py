"""What goes with what: pairs of products from a `links.csv` beside the catalogue, kept in the index.

    id,other_id,kind,source
    mug-1,plate-4,table setting,

A link holds in both directions. Where the column `source` (or `kind`) says "simulated", so does the page.
"""

import json
from collections.abc import Container, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from mmdemo.errors import InputError
from mmdemo.product import column_name
from mmdemo.table import read_table

FILE = "links.csv"
STORED = "links.jsonl"  # its name in an index
COLUMNS = ("id", "other_id")
LONGEST = 60  # characters of a kind
Note = tuple[int, str, str]  # line, product, what is wrong with it


@dataclass(frozen=True)
class Link:
    """Two products that go together; `kind` says how ("table setting"), empty where nobody said."""

    id: str
    other_id: str
    kind: str = ""
    simulated: bool = False

    def other(self, product_id: str) -> str:
        """The product at the other end."""
        return self.other_id if product_id == self.id else self.id


def read_links(path: Path, known: Container[str]) -> tuple[tuple[Link, ...], list[Note]]:
    """The links between `known` products, and what was left out: unknown ids, a product with itself, pairs said twice.

    A file that cannot be read at all is one note; the catalogue is whole without it.
    """
    try:
        table = read_table(path, ["id", "other_id", "kind", "source"])
    except InputError as error:
        return (), [(0, "", str(error))]
    names = [column_name(column) for column in table.columns]
    if missing := [name for name in COLUMNS if name not in names]:
        shown = ("".join(c if c.isprintable() else "?" for c in name[:30]) for name in names[:8])
        has = ", ".join(f"'{name}'" for name in shown)
        needs = " and ".join(f"'{name}'" for name in missing)
        return (), [(1, "", f"expected the columns id, other_id and kind, found {has}; {needs} missing, so no links")]
    found: dict[frozenset[str], Link] = {}
    notes = [(line, "", reason) for line, reason in table.broken]
    for line, cells in table.rows:
        row = {name: cell.strip() for name, cell in zip(names, cells, strict=True)}
        one, other = row["id"], row["other_id"]
        if unknown := [i for i in (one, other) if i not in known]:
            notes.append((line, one[:80], f"there is no product '{unknown[0][:80]}' in the catalogue"))
        elif one == other:
            notes.append((line, one, "a product cannot go with itself"))
        else:
            simulated = "simulated" in (row.get("source", "").casefold(), row.get("kind", "").casefold())
            link = Link(one, other, row.get("kind", "")[:LONGEST], simulated)
            if found.setdefault(frozenset((one, other)), link) != link:
                notes.append((line, one, f"'{one}' and '{other}' are linked already; the first line counts"))
    return tuple(found.values()), notes


def write(links: Iterable[Link], path: Path) -> None:
    """Write the links of an index, one JSON object a line."""
    with path.open("w", encoding="utf-8") as file:
        for link in links:
            file.write(json.dumps(asdict(link), ensure_ascii=False) + "\n")


def read_stored(path: Path, known: Container[str]) -> tuple[Link, ...]:
    """The links that `write` wrote; ValueError or TypeError for any that this program did not write."""
    links = []
    for line in path.read_text("utf-8").split("\n")[:-1]:  # not splitlines: a kind may hold other ends of lines
        link = Link(**json.loads(line))
        good = all(isinstance(x, str) for x in (link.id, link.other_id, link.kind)) and isinstance(link.simulated, bool)
        if not good or link.id not in known or link.other_id not in known:
            raise ValueError(f"a link of another type or to an unknown product, {line[:80]!r}")
        links.append(link)
    return tuple(links)
