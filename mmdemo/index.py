"""A product index: one folder that holds a catalogue, its vectors, its head and the proof that all belong together.

    INDEX/current            names the live version
    INDEX/<version>/         rows.jsonl, vectors.safetensors, index.faiss, head.safetensors, report.json, thumbs/,
                             links.jsonl where products have links, manifest.json (written last: what made it, and
                             the SHA-256 of every other file)

A save writes a new version beside the live one and then swaps `current`, so a reader sees the old or the new, whole.
"""

import itertools
import json
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from mmdemo import verify
from mmdemo.calibration import Calibration
from mmdemo.catalog import Product
from mmdemo.catalog import facets as facets_of
from mmdemo.embed import thumb_name, view_name
from mmdemo.errors import InputError
from mmdemo.fusion import FusionHead, save_head
from mmdemo.home import HOME, at_home
from mmdemo.links import STORED as LINKS
from mmdemo.links import Link
from mmdemo.links import write as write_links
from mmdemo.locks import Hold, is_held, writing
from mmdemo.query import Filter
from mmdemo.related import STORED as RELATED
from mmdemo.related import Related, moved, save_related
from mmdemo.store import FaissStore
from mmdemo.vectors import Array
from mmdemo.verify import sha256

# Only folders with such a name are ever deleted: `out` may hold other things, the catalogue itself among them.
VERSION = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}|\.\d{8}-\d{6}-[0-9a-f]{6}\.part")
POINTER = re.compile(r"\.current-[0-9a-f]{6}")  # one that was cut short before it took its place
LIKELY = 6  # products that may go with one which nobody linked
WORK = ".work"  # where a build keeps its shards until it is whole


class ProductIndex:
    """Products, their unfused rows, the head, and the store of fused vectors; row numbers are the store's ids."""

    def __init__(
        self, products: Sequence[Product], image: Array, text: Array, head: FusionHead, manifest: dict[str, Any],
        report: dict[str, Any], folder: Path, store: FaissStore | None = None, links: Sequence[Link] = (),
        related: Related | None = None,
    ) -> None:  # fmt: skip
        self.products, self.image, self.text, self.head = list(products), image, text, head
        self.manifest, self.report, self.folder = manifest, report, folder
        self.parts = head.product_parts(image=image, text=text)
        self.vectors = self.parts.sum(axis=1)
        if store is None:
            store = FaissStore(head.width)
            store.add(np.arange(len(self.products)), self.vectors)
        self.store = store
        self._row = {p.id: i for i, p in enumerate(self.products)}
        self.related = related  # where what goes with a product lies, learnt from the links
        self.links = tuple(link for link in links if link.id in self._row and link.other_id in self._row)
        self._masks: dict[Filter, NDArray[np.bool_]] = {}

    def __len__(self) -> int:
        return len(self.products)

    def holds(self, product_id: str) -> bool:
        """Whether a product of this id is in the index."""
        return product_id in self._row

    def row(self, product_id: str) -> int:
        """Row number of a product; raises InputError naming the nearest known id."""
        if product_id in self._row:
            return self._row[product_id]
        from difflib import get_close_matches

        near = get_close_matches(product_id[:200], self._row, n=1, cutoff=0.3)
        raise InputError(
            f"no product '{product_id[:200]}' in this index" + (f"; the nearest id is '{near[0]}'" if near else "")
        )

    @cached_property
    def facets(self) -> dict[str, dict[str, int]]:
        """Columns whose values repeat, with the count of every value, most frequent first."""
        return facets_of(self.products)

    @cached_property
    def columns(self) -> list[str]:
        """Everything a filter may name."""
        known = ["id", "title", "category", "price", "currency", "parent", "group"]
        return known + sorted({a for p in self.products for a in p.attributes})

    def allowed(self, filters: Iterable[Filter]) -> NDArray[np.int64] | None:
        """Rows that pass every filter, or None without filters. Raises InputError for an unknown column."""
        mask = np.ones(len(self), bool)
        filters = tuple(filters)
        for f in filters:
            if f not in self._masks:
                if len(self._masks) > 256:
                    self._masks.clear()
                self._masks[f] = self._mask(f)
            mask &= self._masks[f]
        return np.flatnonzero(mask) if filters else None

    def _mask(self, f: Filter) -> NDArray[np.bool_]:
        if f.op in ("~", "!~"):
            says = re.compile(
                rf"(?<![A-Za-z0-9])(?:{'|'.join(map(re.escape, sorted(f.choices)))})(?![A-Za-z0-9])", re.I
            )
            said = np.array([says.search(p.text if f.column == "text" else str(p.field(f.column) or "")) is not None
                             for p in self.products])  # fmt: skip
            return said if f.op == "~" else ~said
        name = next((c for c in self.columns if c.casefold() == f.column.casefold()), None)
        if name is None:
            raise InputError(f"no column '{f.column}' to filter by; there are: {', '.join(self.columns)}")
        if f.op in ("=", "!="):
            equal = np.array([any(v.casefold() in f.choices for v in p.values(name)) for p in self.products])
            return equal if f.op == "=" else ~equal
        numbers = np.array([_number(p.field(name)) for p in self.products])
        compare = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}[f.op]
        with np.errstate(invalid="ignore"):
            return compare(numbers, f.number) & np.isfinite(numbers)

    def search(self, vector: Array, k: int, allowed: NDArray[np.int64] | None = None) -> tuple[Array, NDArray]:
        """Scores and rows, best first, of the nearest products: min(k, number allowed) of them."""
        scores, rows = self.store.search(vector[None], min(k, len(self)), allowed)
        found = rows[0] >= 0
        return scores[0][found], rows[0][found]

    def standing(self, vector: Array, scores: Array) -> Array:
        """How far scores of a query (width,) stand out from its scores of all products, in standard deviations."""
        z = (scores - vector @ self._moments[0]) / max(self.spread(vector), 1e-6)
        return z.astype(np.float32)

    def spread(self, vector: Array) -> float:
        """The standard deviation of a vector's (width,) products with all fused vectors."""
        return max(float(vector @ self._moments[1] @ vector), 0.0) ** 0.5

    @cached_property
    def _moments(self) -> tuple[Array, Array]:
        centred = self.vectors - self.vectors.mean(0)
        return self.vectors.mean(0), centred.T @ centred / len(centred)

    def thumbnail(self, product_id: str) -> Path | None:
        """The picture that the app shows (WebP), or None for a product without one."""
        name = f"thumbs/{thumb_name(product_id)}"
        return self.folder / name if name in self.manifest.get("files", ()) else None

    def views(self, product_id: str) -> list[Path]:
        """Further pictures of a product that the app shows (WebP), in the catalogue's order."""
        names = (f"thumbs/{view_name(product_id, n)}" for n in itertools.count(1))
        return [self.folder / n for n in itertools.takewhile(lambda n: n in self.manifest.get("files", ()), names)]

    @cached_property
    def _linked(self) -> dict[str, list[Link]]:
        linked: dict[str, list[Link]] = {}
        for link in self.links:
            linked.setdefault(link.id, []).append(link)
            linked.setdefault(link.other_id, []).append(link)
        return linked

    def goes_with(self, product_id: str) -> list[tuple[str, str]]:
        """Ids of the products that go with this one, and how: (id, kind), in the order of the catalogue's links.

        A product without links gets what the learnt map takes for likely, one of each parent, without a kind.
        """
        if product_id in self._linked or self.related is None:
            return [(link.other(product_id), link.kind) for link in self._linked.get(product_id, [])]
        row = self.row(product_id)
        scores = self.vectors @ moved(self.related, self.vectors[row : row + 1])[0]
        likely: dict[str, str] = {}
        for other in np.argsort(-scores, kind="stable")[:200]:
            p = self.products[other]
            likely.setdefault(p.parent or p.id, p.id)
        likely.pop(self.products[row].parent or product_id, None)
        return [(found, "") for found in list(likely.values())[:LIKELY]]

    @property
    def calibration(self) -> Calibration:
        """How scores become match probabilities in this index."""
        curves = {k: (v[0], v[1]) for k, v in self.manifest.get("calibration", {}).items()}
        return Calibration(curves, self.manifest.get("floors", {}))

    def add(self, products: Sequence[Product], image: Array, text: Array, thumbs: Path) -> Self:
        """A new index with more products (encoder rows as in `build`), not yet saved; a known id is refused."""
        known = [p.id for p in products if p.id in self._row]
        if known:
            raise InputError(
                f"{len(known)} products are in the index already, for example '{known[0]}'; remove them first"
            )
        return self._changed(
            [*self.products, *products], np.vstack([self.image, image]), np.vstack([self.text, text]), thumbs
        )

    def remove(self, ids: Sequence[str]) -> Self:
        """A new index without these products, not yet saved; raises InputError for an unknown id or an empty rest."""
        gone = {self.row(i) for i in ids}
        keep = np.array([r for r in range(len(self)) if r not in gone], np.int64)
        if not len(keep):
            raise InputError("an index cannot be left without products; delete its folder instead")
        return self._changed([self.products[r] for r in keep], self.image[keep], self.text[keep], None)

    def _changed(self, products: list[Product], image: Array, text: Array, thumbs: Path | None) -> Self:
        known = (dict(self.manifest), self.report, self.folder, None, self.links, self.related)
        changed = type(self)(products, image, text, self.head, *known)
        changed._extra_thumbs = thumbs
        return changed

    _extra_thumbs: Path | None = None

    def save(self, out: Path, thumbs: Path | None = None, pages: dict[str, bytes] | None = None) -> Self:
        """Write a new version under `out`, make it live, and return it loaded; `pages` are files to go with it.

        Raises InputError while another program writes there.
        """
        with writing(out):
            return self._save(out, thumbs, pages or {})

    def _save(self, out: Path, thumbs: Path | None, pages: dict[str, bytes]) -> Self:
        version = time.strftime("%Y%m%d-%H%M%S-") + uuid.uuid4().hex[:6]
        folder = out / f".{version}.part"
        (folder / "thumbs").mkdir(parents=True)
        sources = [s for s in (thumbs, self._extra_thumbs, self.folder / "thumbs") if s is not None]
        for p in self.products:
            names = itertools.chain([thumb_name(p.id)], (view_name(p.id, n) for n in itertools.count(1)))
            for name in names:
                source = next((s / name for s in sources if (s / name).exists()), None)
                if source is None:
                    break
                _link(source, folder / "thumbs" / name)
        with (folder / "rows.jsonl").open("w", encoding="utf-8") as f:
            for p in self.products:
                f.write(json.dumps(p.row(), ensure_ascii=False) + "\n")
        if self.links:
            write_links(self.links, folder / LINKS)
        if self.related is not None:
            save_related(self.related, folder / RELATED)
        save_file({"image": self.image, "text": self.text}, folder / "vectors.safetensors")
        save_head(self.head, folder / "head.safetensors")
        self.store.save(folder / "index.faiss")
        (folder / "report.json").write_text(json.dumps(self.report, indent=1, ensure_ascii=False), encoding="utf-8")
        for name, content in pages.items():
            (folder / name).write_bytes(content)
        written = [p for p in sorted(folder.rglob("*")) if p.is_file()]
        manifest = {
            **self.manifest, "format": verify.FORMAT, "version": version, "count": len(self), "dim": self.head.width,
            "metric": "cosine", "head": self.head.name,
            "files": {p.relative_to(folder).as_posix(): sha256(p) for p in written},
        }  # fmt: skip
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False), encoding="utf-8")
        for written_path in (*folder.rglob("*"), folder):
            _fsync(written_path)
        final = out / version
        folder.replace(final)
        _fsync(out)
        pointer = out / f".current-{uuid.uuid4().hex[:6]}"
        pointer.write_text(version + "\n")
        _fsync(pointer)
        before = live_version(out)
        pointer.replace(out / "current")
        _fsync(out)
        # One version back stays, and what somebody has open; what else is older, or was cut short, goes.
        for old in out.iterdir():
            if POINTER.fullmatch(old.name):
                old.unlink(missing_ok=True)
            elif VERSION.fullmatch(old.name) and old.is_dir() and old not in (final, before):
                if not is_held(old / "manifest.json"):
                    shutil.rmtree(old, ignore_errors=True)
        return self.load(out)

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Open the live version. Raises InputError (expected, found, what to do) unless every hash matches."""
        path = at_home(path)
        while True:
            folder = live_version(path)
            if folder is None:
                raise InputError(
                    f"'{path}' is not an index: expected a file 'current' that names a version; make one with "
                    f"python -m mmdemo build CATALOG --out {path}"
                )
            held = Hold(folder / "manifest.json")
            try:
                index = cls._load(path, folder)
            except InputError:
                if live_version(path) in (folder, None):
                    raise
                continue  # a new version took its place while this one was read
            index._held = held
            return index

    _held: Hold | None = None  # keeps the version that is open from being deleted

    @classmethod
    def _load(cls, path: Path, folder: Path) -> Self:
        known = verify.read(path, folder)
        try:
            index = cls(*known)
        except ValueError as e:
            raise InputError(f"the index '{path}' cannot be read ({e}); {verify.mend(path)}") from None
        if not index._in_order():
            raise InputError(f"the vectors of the index '{path}' are not in the order of its rows; {verify.mend(path)}")
        return index

    def _in_order(self) -> bool:
        """Whether the store holds, under each row's number, that row's fused vector."""
        ids, stored = self.store.everything()
        known = np.array_equal(np.sort(ids), np.arange(len(self)))
        return known and np.allclose(stored, self.vectors[ids], atol=1e-3)


def encoder_spec(spec: str) -> str:
    """How a manifest writes an encoder down: a folder inside the project stays relative to it."""
    folder = Path(spec)
    if not folder.is_dir():
        return spec
    full = folder.resolve()
    return full.relative_to(HOME).as_posix() if full.is_relative_to(HOME) else str(full)


def resolve_spec(spec: str) -> str:
    """The other way: relative folders are looked up from the project's home when not here."""
    return str(at_home(spec)) if not Path(spec).is_dir() else spec


def _number(v: object) -> float:
    try:
        return float(v)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return float("nan")


def live_version(path: Path) -> Path | None:
    """The folder of the version that is live, None where there is none."""
    try:
        version = (path / "current").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    safe = version and Path(version).name == version and not version.startswith(".")
    return path / version if safe and (path / version).is_dir() else None


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
