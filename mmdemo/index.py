"""A product index: one folder that holds a catalogue, its vectors, its head and the proof that all belong together.

    INDEX/current            names the live version
    INDEX/<version>/         rows.jsonl, vectors.safetensors, index.faiss (or index.milvus, which says where in Milvus
                             the fused vectors are), head.safetensors, report.json, thumbs/, links.jsonl where products
                             have links, manifest.json (written last: what made it, and the SHA-256 of every other file)

A save writes a new version beside the live one and then swaps `current`, so a reader sees the old or the new, whole.
"""

import itertools
import json
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from mmdemo import stored, verify
from mmdemo.calibration import Calibration
from mmdemo.catalog import Product
from mmdemo.catalog import facets as facets_of
from mmdemo.embed import thumb_name, view_name
from mmdemo.errors import InputError
from mmdemo.filtering import passing
from mmdemo.fusion import FusionHead, save_head
from mmdemo.guess import NEAREST, guess
from mmdemo.home import at_home
from mmdemo.links import STORED as LINKS
from mmdemo.links import Link
from mmdemo.links import write as write_links
from mmdemo.locks import Hold, writing
from mmdemo.query import Filter
from mmdemo.related import STORED as RELATED
from mmdemo.related import Related, moved, save_related
from mmdemo.store import VectorStore
from mmdemo.vectors import Array
from mmdemo.verify import sha256
from mmdemo.versions import VERSION, begun, hard_link, live_version, publish

__all__ = ["VERSION", "WORK", "ProductIndex", "live_version"]
LIKELY = 6  # products that may go with one which nobody linked
WORK = ".work"  # where a build keeps its shards until it is whole
STEP = 16_384  # rows that go through the head at a time
COMPARED = 5000  # ids that a wrong one is compared with


class ProductIndex:
    """Products, their unfused rows, the head, and the store of fused vectors, whose ids ascend with the rows."""

    def __init__(
        self, products: Sequence[Product], image: Array, text: Array, head: FusionHead, manifest: dict[str, Any],
        report: dict[str, Any], folder: Path, store: VectorStore | None = None, links: Sequence[Link] = (),
        related: Related | None = None, vectors: Array | None = None,
    ) -> None:  # fmt: skip
        self.products, self.image, self.text, self.head = list(products), image, text, head
        self.manifest, self.report, self.folder, self._store = manifest, report, folder, store
        self.vectors = vectors if vectors is not None else self._fused()  # (n, width), of length one
        self._row = {p.id: i for i, p in enumerate(self.products)}
        self.related = related  # where what goes with a product lies, learnt from the links
        self.links = tuple(link for link in links if link.id in self._row and link.other_id in self._row)
        self._masks: dict[Filter, NDArray[np.bool_]] = {}

    def _fused(self) -> Array:
        steps = [np.arange(s, min(s + STEP, len(self.image))) for s in range(0, len(self.image), STEP)]
        return np.vstack([self.parts(rows).sum(axis=1) for rows in steps])

    def parts(self, rows: NDArray[np.int64] | Sequence[int]) -> Array:
        """What picture, words and both together give to the fused vectors of these rows, (n, 3, width)."""
        return self.head.product_parts(image=self.image[rows], text=self.text[rows])

    @property
    def store(self) -> VectorStore:
        """Where the fused vectors are searched."""
        if self._store is None:
            self._store = stored.following(self.folder if self._held else None, self._ids, self.vectors)
        return self._store

    @cached_property
    def _ids(self) -> NDArray[np.int64]:
        """The store's id of each row, ascending: rows that stay keep theirs when others go."""
        return stored.ids_of(self._store, len(self))

    def __len__(self) -> int:
        return len(self.products)

    def holds(self, product_id: str) -> bool:
        """Whether a product of this id is in the index."""
        return product_id in self._row

    def row(self, product_id: str) -> int:
        """Row number of a product; raises InputError naming the nearest known id."""
        if product_id in self._row:
            return self._row[product_id]
        import difflib

        some = list(self._row)
        if len(some) > COMPARED:
            some = [known for known in some if known[:2] == product_id[:2]][:COMPARED]
        near = difflib.get_close_matches(product_id[:200], some, n=1, cutoff=0.3)
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
                self._masks[f] = passing(f, self.products, self.columns)
            mask &= self._masks[f]
        return np.flatnonzero(mask) if filters else None

    def search(self, vector: Array, k: int, allowed: NDArray[np.int64] | None = None) -> tuple[Array, NDArray]:
        """Scores and rows, best first, of the nearest products: min(k, number allowed) of them."""
        ids = None if allowed is None else self._ids[allowed]
        scores, known = self.store.search(vector[None], min(k, len(self)), ids)
        found = known[0] >= 0
        return scores[0][found], np.searchsorted(self._ids, known[0][found])

    def guess(self, image: Array, where: NDArray[np.bool_] | None = None) -> Array:
        """What this shop would call the things on photos (n, width), as text rows (n, text width): see `guess.guess`.
        With `where` (n,) for those alone, zero elsewhere."""
        found = np.zeros((len(image), self.text.shape[1]), np.float32)
        some = np.flatnonzero(image.any(1) if where is None else where)
        if len(some):
            photos, back = np.unique(image[some], axis=0, return_inverse=True)  # one photo beside many words
            rows = self.lenders(photos)
            texts = self.text[rows] * (rows >= 0)[:, :, None]
            found[some] = guess(photos, self.image[rows], texts, self.head.dim)[back.ravel()]
        return found

    def lenders(self, image: Array) -> NDArray[np.int64]:
        """Rows (n, k) of the products that look most like the things on photos, nearest first; -1 where there are no
        more."""
        known = self.store.search(self.head.fuse(image=image), min(NEAREST, len(self)))[1]
        return np.where(known >= 0, np.searchsorted(self._ids, known), -1)

    def standing(self, vector: Array, scores: Array) -> Array:
        """How far scores of a query (width,) stand out from its scores of all products, in standard deviations."""
        z = (scores - vector @ self._moments[0]) / max(self.spread(vector), 1e-6)
        return z.astype(np.float32)

    def spread(self, vector: Array) -> float:
        """The standard deviation of a vector's (width,) products with all fused vectors."""
        return max(float(vector @ self._moments[1] @ vector), 0.0) ** 0.5

    @cached_property
    def _moments(self) -> tuple[Array, Array]:
        mean, square = self.vectors.mean(0), np.zeros((self.head.width, self.head.width), np.float32)
        for start in range(0, len(self), STEP):
            centred = self.vectors[start : start + STEP] - mean
            square += centred.T @ centred
        return mean, (square / len(self)).astype(np.float32)

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
        return Calibration(self.manifest.get("calibration", {}), self.manifest.get("floors", {}))

    def add(self, products: Sequence[Product], image: Array, text: Array, thumbs: Path) -> Self:
        """A new index with more products (encoder rows as in `build`), not yet saved; a known id is refused."""
        known = [p.id for p in products if p.id in self._row]
        if known:
            raise InputError(
                f"{len(known)} products are in the index already, for example '{known[0]}'; remove them first"
            )
        new = self.head.product_parts(image=image, text=text).sum(axis=1)
        old = (self.image, self.text, self.vectors)
        rows = [np.vstack(both) for both in zip(old, (image, text, new), strict=True)]
        ids = np.r_[self._ids, self._next + np.arange(len(products))]
        return self._changed([*self.products, *products], rows, ids, thumbs)

    def remove(self, ids: Sequence[str]) -> Self:
        """A new index without these products, not yet saved; raises InputError for an unknown id or an empty rest."""
        gone = {self.row(i) for i in ids}
        keep = np.array([r for r in range(len(self)) if r not in gone], np.int64)
        if not len(keep):
            raise InputError("an index cannot be left without products; delete its folder instead")
        rows = [rows[keep] for rows in (self.image, self.text, self.vectors)]
        return self._changed([self.products[r] for r in keep], rows, self._ids[keep], self._extra_thumbs)

    @cached_property
    def _next(self) -> int:
        """An id that no row has had since the index was opened."""
        return int(self._ids[-1]) + 1

    def _changed(self, products: list[Product], rows: list[Array], ids: NDArray[np.int64], thumbs: Path | None) -> Self:
        image, text, vectors = rows
        known = (dict(self.manifest), dict(self.report), self.folder, None, self.links, self.related)
        changed = type(self)(products, image, text, self.head, *known, vectors)
        changed._extra_thumbs, changed._held = thumbs, self._held
        changed._ids, changed._next = ids, max(self._next, int(ids[-1]) + 1)
        return changed

    _extra_thumbs: Path | None = None

    def save(
        self, out: Path, thumbs: Path | None = None, pages: Callable[[dict[str, Any]], dict[str, bytes]] | None = None
    ) -> Self:
        """Write a new version under `out`, make it live, and return it loaded; `pages` makes files to go with it from
        the report.

        Raises InputError while another program writes there.
        """
        with writing(out):
            return self._save(out, thumbs, pages)

    def _save(self, out: Path, thumbs: Path | None, pages: Callable[[dict[str, Any]], dict[str, bytes]] | None) -> Self:
        version, folder = begun(out)
        sources = [s for s in (thumbs, self._extra_thumbs, self.folder / "thumbs") if s is not None]
        for p in self.products:
            names = itertools.chain([thumb_name(p.id)], (view_name(p.id, n) for n in itertools.count(1)))
            for name in names:
                source = next((s / name for s in sources if (s / name).exists()), None)
                if source is None:
                    break
                hard_link(source, folder / "thumbs" / name)
        with (folder / "rows.jsonl").open("w", encoding="utf-8") as f:
            for p in self.products:
                f.write(json.dumps(p.row(), ensure_ascii=False) + "\n")
        if self.links:
            write_links(self.links, folder / LINKS)
        if self.related is not None:
            save_related(self.related, folder / RELATED)
        save_head(self.head, folder / "head.safetensors")
        store, said = stored.put(self.vectors, self.manifest.get("store", {}), folder, lambda: self.store)
        self.report["store"] = said
        arrays = {"image": self.image, "text": self.text}
        if stored.far(store):
            arrays["fused"] = self.vectors
        save_file(arrays, folder / "vectors.safetensors")
        (folder / "report.json").write_text(json.dumps(self.report, indent=1, ensure_ascii=False), encoding="utf-8")
        for name, content in (pages(self.report) if pages else {}).items():
            (folder / name).write_bytes(content)
        written = [p for p in sorted(folder.rglob("*")) if p.is_file()]
        manifest = {
            **self.manifest, "format": verify.FORMAT, "version": version, "count": len(self), "dim": self.head.width,
            "metric": "cosine", "head": self.head.name, "store": said,
            "files": {p.relative_to(folder).as_posix(): sha256(p) for p in written},
        }  # fmt: skip
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False), encoding="utf-8")
        publish(out, version, folder, stored.forget)
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
                index = cls(*verify.read(path, folder))
            except InputError:
                if live_version(path) in (folder, None):
                    raise
                continue  # a new version took its place while this one was read
            index._held = held
            return index

    _held: Hold | None = None  # keeps the version that was opened from being deleted
