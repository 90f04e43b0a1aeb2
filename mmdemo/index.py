"""A product index: one folder that holds a catalogue, its vectors, its head and the proof that all belong together.

    INDEX/current            names the live version
    INDEX/<version>/         rows.jsonl, vectors.safetensors, index.faiss, head.safetensors, report.json, thumbs/,
                             manifest.json (written last: what made it, and the SHA-256 of every other file)

A save writes a new version beside the live one and then swaps `current`, so a reader sees the old or the new, whole.
"""

import hashlib
import json
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from mmdemo.calibration import Calibration
from mmdemo.catalog import Product
from mmdemo.catalog import facets as facets_of
from mmdemo.embed import thumb_name
from mmdemo.errors import InputError
from mmdemo.fusion import FusionHead, load_head, save_head
from mmdemo.query import Filter
from mmdemo.store import FaissStore
from mmdemo.vectors import Array

FORMAT = 1
# Only folders with such a name are ever deleted: `out` may hold other things, the catalogue itself among them.
VERSION = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}|\.\d{8}-\d{6}-[0-9a-f]{6}\.part")
WORK = ".work"  # where a build keeps its shards until it is whole
HOME = Path(__file__).resolve().parent.parent


class ProductIndex:
    """Products, their unfused rows, the head, and the store of fused vectors; row numbers are the store's ids."""

    def __init__(
        self, products: Sequence[Product], image: Array, text: Array, head: FusionHead, manifest: dict[str, Any],
        report: dict[str, Any], folder: Path, store: FaissStore | None = None,
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
        self._masks: dict[Filter, NDArray[np.bool_]] = {}

    def __len__(self) -> int:
        return len(self.products)

    def row(self, product_id: str) -> int:
        """Row number of a product; raises InputError naming the nearest known id."""
        if product_id in self._row:
            return self._row[product_id]
        from difflib import get_close_matches

        near = get_close_matches(product_id, self._row, n=1, cutoff=0.3)
        raise InputError(
            f"no product '{product_id}' in this index" + (f"; the nearest id is '{near[0]}'" if near else "")
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
        mean, spread = self._moments
        variance = float(vector @ spread @ vector)
        return (scores - vector @ mean) / max(variance, 1e-12) ** 0.5

    @cached_property
    def _moments(self) -> tuple[Array, Array]:
        centred = self.vectors - self.vectors.mean(0)
        return self.vectors.mean(0), centred.T @ centred / len(centred)

    def thumbnail(self, product_id: str) -> Path | None:
        """The picture that the app shows (WebP), or None for a product without one."""
        path = self.folder / "thumbs" / thumb_name(product_id)
        return path if path.exists() else None

    @property
    def calibration(self) -> Calibration:
        """How scores become match probabilities in this index."""
        return Calibration({k: (v[0], v[1]) for k, v in self.manifest.get("calibration", {}).items()})

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
        changed = type(self)(products, image, text, self.head, dict(self.manifest), self.report, self.folder)
        changed._extra_thumbs = thumbs
        return changed

    _extra_thumbs: Path | None = None

    def save(self, out: Path, thumbs: Path | None = None) -> Self:
        """Write a new version under `out`, make it the live one, and return it loaded."""
        out.mkdir(parents=True, exist_ok=True)
        version = time.strftime("%Y%m%d-%H%M%S-") + uuid.uuid4().hex[:6]
        folder = out / f".{version}.part"
        (folder / "thumbs").mkdir(parents=True)
        sources = [s for s in (thumbs, self._extra_thumbs, self.folder / "thumbs") if s is not None]
        for p in self.products:
            name = thumb_name(p.id)
            source = next((s / name for s in sources if (s / name).exists()), None)
            if source is not None:
                _link(source, folder / "thumbs" / name)
        with (folder / "rows.jsonl").open("w", encoding="utf-8") as f:
            for p in self.products:
                f.write(json.dumps(asdict(p), ensure_ascii=False) + "\n")
        save_file({"image": self.image, "text": self.text}, folder / "vectors.safetensors")
        save_head(self.head, folder / "head.safetensors")
        self.store.save(folder / "index.faiss")
        (folder / "report.json").write_text(json.dumps(self.report, indent=1, ensure_ascii=False), encoding="utf-8")
        written = [p for p in sorted(folder.rglob("*")) if p.is_file()]
        manifest = {
            **self.manifest, "format": FORMAT, "version": version, "count": len(self), "dim": self.head.width,
            "metric": "cosine", "head": self.head.name,
            "files": {p.relative_to(folder).as_posix(): _sha256(p) for p in written},
        }  # fmt: skip
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False), encoding="utf-8")
        for file in folder.rglob("*"):
            if file.is_file():
                _fsync(file)
        final = out / version
        folder.replace(final)
        pointer = out / f".current-{uuid.uuid4().hex[:6]}"
        pointer.write_text(version + "\n")
        _fsync(pointer)
        before = _live(out)
        pointer.replace(out / "current")
        _fsync(out)
        # One version back stays, for whoever has it open; what is older, or was cut short, goes.
        for old in out.iterdir():
            if VERSION.fullmatch(old.name) and old.is_dir() and old not in (final, before):
                shutil.rmtree(old, ignore_errors=True)
        return self.load(out)

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Open the live version. Raises InputError (expected, found, what to do) unless every hash matches."""
        path = Path(path)
        folder = _live(path)
        if folder is None:
            raise InputError(
                f"'{path}' is not an index: expected a file 'current' that names a version; make one with "
                f"python -m mmdemo build CATALOG --out {path}"
            )
        mend = f"build it again: python -m mmdemo build CATALOG --out {path}"
        try:
            manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
            files, form = dict(manifest["files"]), manifest["format"]
        except (OSError, ValueError, KeyError, TypeError):
            raise InputError(f"the index '{path}' has no readable manifest.json; {mend}") from None
        if form != FORMAT:
            raise InputError(f"the index '{path}' has format {form} and this program reads format {FORMAT}; {mend}")
        for name in ("rows.jsonl", "vectors.safetensors", "head.safetensors", "index.faiss", "report.json"):
            if name not in files:
                raise InputError(f"the manifest of the index '{path}' does not list {name}; {mend}")
        for name, expected in files.items():
            inside = folder / name
            if ".." in Path(name).parts or Path(name).is_absolute() or not inside.is_file():
                raise InputError(f"the index '{path}' should hold {name} and does not; {mend}")
            found = _sha256(inside)
            if found != expected:
                raise InputError(
                    f"{name} in the index '{path}' was changed: expected SHA-256 {str(expected)[:12]}…, "
                    f"found {found[:12]}…; {mend}"
                )
        try:
            products = [Product(**json.loads(x)) for x in (folder / "rows.jsonl").read_text("utf-8").splitlines()]
            vectors = load_file(folder / "vectors.safetensors")
            image, text = vectors["image"], vectors["text"]
            report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
            calibration = {k: (float(a), float(b)) for k, (a, b) in manifest["calibration"].items()}
            manifest["calibration"] = calibration
        except (ValueError, TypeError, KeyError, AttributeError) as e:
            raise InputError(f"the index '{path}' cannot be read ({e}); {mend}") from None
        head, store = load_head(folder / "head.safetensors"), FaissStore.load(folder / "index.faiss")
        sizes = {"rows": len(products), "image": len(image), "text": len(text), "vectors": len(store),
                 "manifest": manifest.get("count")}  # fmt: skip
        if len(set(sizes.values())) > 1 or store.dim != head.width or head.image_width != image.shape[1]:
            raise InputError(f"the parts of the index '{path}' do not fit together ({sizes}); {mend}")
        index = cls(products, image, text, head, manifest, report, folder, store)
        probe = np.linspace(0, len(products) - 1, min(8, len(products))).astype(np.int64)
        if any(store.search(index.vectors[r][None], 1, np.array([r]))[0][0, 0] < 0.999 for r in probe):
            raise InputError(f"the vectors of the index '{path}' are not in the order of its rows; {mend}")
        return index


def encoder_spec(spec: str) -> str:
    """How a manifest writes an encoder down: a folder inside the project stays relative to it."""
    folder = Path(spec)
    if not folder.is_dir():
        return spec
    full = folder.resolve()
    return full.relative_to(HOME).as_posix() if full.is_relative_to(HOME) else str(full)


def resolve_spec(spec: str) -> str:
    """The other way: relative folders are looked up from the project's home when not here."""
    return str(HOME / spec) if not Path(spec).is_dir() and (HOME / spec).is_dir() else spec


def _number(v: object) -> float:
    try:
        return float(v)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return float("nan")


def _live(path: Path) -> Path | None:
    try:
        version = (path / "current").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    safe = version and Path(version).name == version and not version.startswith(".")
    return path / version if safe and (path / version).is_dir() else None


def _sha256(path: Path) -> str:
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


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
