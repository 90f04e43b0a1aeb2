"""A product index: one folder that holds a catalogue, its vectors, its head and the proof that all belong together.

    INDEX/current            names the live version
    INDEX/<version>/         rows.jsonl.gz, vectors.safetensors (the embeddings), head.safetensors, report.json,
                             index.faiss (or index.milvus, which says where in Milvus the fused vectors are; a small
                             index has neither, see `compact`),
                             thumbnails.bin and thumbnails.npy (the pictures), links.jsonl.gz where products have links,
                             starting_queries.jsonl where queries came with the catalogue, picture_hashes.npy
                             (by which an update tells whose pictures are new),
                             further.safetensors (the embeddings of further pictures) where products have any,
                             behaviour.safetensors (weights of products, nothing of a person) where events came along,
                             manifest.json (written last: what made it, and the SHA-256 of every other file)

A save writes a new version beside the live one and then swaps `current`, so a reader sees the old or the new, whole.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from mmdemo.behaviour.behaviour import STORED as BEHAVIOUR
from mmdemo.catalog.catalog import Product
from mmdemo.catalog.facet_index import FacetIndex
from mmdemo.catalog.links import STORED as LINKS
from mmdemo.catalog.links import Link
from mmdemo.catalog.links import write as write_links
from mmdemo.catalog.starting_queries import STORED as STARTING_QUERIES
from mmdemo.catalog.starting_queries import save_starting_queries
from mmdemo.catalog.thumbnails import Thumbnails
from mmdemo.core.errors import InputError
from mmdemo.core.gzip_text import write_gzip
from mmdemo.core.messages import as_json
from mmdemo.core.paths import at_home
from mmdemo.core.request import Filter
from mmdemo.core.vectors import Array
from mmdemo.encode.batching import EmbeddingCache
from mmdemo.encode.further_pictures import FurtherPictures
from mmdemo.fusion.calibration import Calibration
from mmdemo.fusion.heads import save_head
from mmdemo.fusion.query_expansion import NEIGHBOURS, expand
from mmdemo.fusion.related import STORED as RELATED
from mmdemo.fusion.related import apply_map, save_related
from mmdemo.index import backends, verify
from mmdemo.index.compact import ROWS, STEP, anchor, fused, narrowed, rounded
from mmdemo.index.contents import Contents
from mmdemo.index.locks import Hold, writing
from mmdemo.index.manifest import FORMAT
from mmdemo.index.store import VectorStore
from mmdemo.index.verify import sha256
from mmdemo.index.versions import VERSION, begin_version, live_version, publish
from mmdemo.language.names import Named, Names
from mmdemo.language.spelling import Spelling

__all__ = ["VERSION", "WORK", "ProductIndex", "live_version"]
LIKELY = 6  # products that may go with one which nobody linked
WORK = ".work"  # where a build keeps its shards until it is whole
PHOTOS = 64  # whose expansions are kept
COMPARED = 5000  # ids that a wrong one is compared with


class ProductIndex:
    """A catalogue ready to be searched: products, embeddings, head and store of fused vectors.

    Rows are in the order of the products; the store's ids ascend with them.

    Parameters
    ----------
    contents
        What the index holds; see `Contents`.

    Attributes
    ----------
    products
        The n products.
    image, text
        Their embeddings, float32 (n, width of a picture) and (n, width of a text), zero where there is no picture.
    vectors
        Their fused vectors, float32 (n, width of the head), of length one: of the first picture of each.
    further
        The embeddings of their further pictures, by which a product is found as well.

    Examples
    --------
    >>> index = ProductIndex.load("index/default")  # doctest: +SKIP
    >>> scores, rows = index.search(index.vectors[0], 3)  # doctest: +SKIP
    """

    def __init__(self, contents: Contents) -> None:
        self.products, self.image, self.text = list(contents.products), contents.image, contents.text
        self.head, self.manifest, self.report = contents.head, contents.manifest, contents.report
        self.folder, self.thumbnails, self._store = contents.folder, contents.thumbnails, contents.store
        if contents.vectors is None:
            self.vectors = fused(self.head, self.image, self.text)
        else:
            self.vectors = contents.vectors
        self._row = {p.id: i for i, p in enumerate(self.products)}
        self.related, self.behaviour = contents.related, contents.behaviour
        self.starting_queries = tuple(contents.starting_queries)
        self.picture_hashes = known_hashes(contents.picture_hashes, len(self.products))
        self.further = contents.further
        self.links = tuple(link for link in contents.links if link.id in self._row and link.other_id in self._row)

    def parts(self, rows: NDArray[np.int64] | Sequence[int]) -> Array:
        """What picture, words and both together give to the fused vectors of these rows, (n, 3, width)."""
        return self.head.product_parts(image=self.image[rows], text=self.text[rows])

    @property
    def store(self) -> VectorStore:
        """Where the fused vectors are searched."""
        if self._store is None:
            self._store = backends.updated_store(
                self.folder if self._held else None, self._ids, self.vectors, self._replaced
            )
        return self._store

    @cached_property
    def _ids(self) -> NDArray[np.int64]:
        """The store's id of each row, ascending: rows that stay keep theirs when others go."""
        return backends.row_ids(self._store, len(self))

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

        candidates = list(self._row)
        if len(candidates) > COMPARED:
            candidates = [candidate for candidate in candidates if candidate[:2] == product_id[:2]][:COMPARED]
        nearest = difflib.get_close_matches(product_id[:200], candidates, n=1, cutoff=0.3)
        raise InputError(
            f"no product '{product_id[:200]}' in this index"
            + (f"; the nearest id is '{nearest[0]}'" if nearest else "")
        )

    @cached_property
    def facet_index(self) -> FacetIndex:
        """Facets, counts and filters of the products."""
        return FacetIndex(self.products)

    @cached_property
    def names(self) -> Names:
        """What the products are called."""
        return Names(self.products)

    @cached_property
    def spelling(self) -> Spelling:
        """The words of the catalogue, by which misspelt ones are mended."""
        return Spelling(self.products)

    def named(self, sentence: str) -> Named | None:
        """What the name in a sentence, its words mended, adds to its scores; None where there is none, or the index gives it no weight."""
        weight = self.manifest.name_weight
        if not weight or not sentence.strip():
            return None
        cosines = self.names.called(sentence, self.spelling)
        return None if cosines is None else Named(cosines, weight)

    @property
    def facets(self) -> dict[str, dict[str, int]]:
        """Columns whose values repeat, with the count of every value, most frequent first."""
        return self.facet_index.facets

    @property
    def columns(self) -> list[str]:
        """Everything a filter may name."""
        return self.facet_index.columns

    def allowed(self, filters: Iterable[Filter]) -> NDArray[np.int64] | None:
        """Rows that pass every filter, or None without filters. Raises InputError for an unknown column."""
        return self.facet_index.allowed(filters)

    def search(self, vector: Array, k: int, allowed: NDArray[np.int64] | None = None) -> tuple[Array, NDArray]:
        """Scores and rows, best first, of the nearest products: min(k, number allowed) of them, each as near as the
        nearest of its pictures."""
        ids = None if allowed is None else self._ids[allowed]
        found, ids_found = self.store.search(vector[None], min(k, len(self)), ids)
        is_answer = ids_found[0] >= 0
        scores, rows = found[0][is_answer], np.searchsorted(self._ids, ids_found[0][is_answer])
        if not len(self.further):
            return scores, rows
        by_further = self.further.highest(self._further_vectors @ vector, len(self))
        some = np.arange(len(self)) if allowed is None else allowed
        nearest = some[np.argsort(-by_further[some], kind="stable")[:k]]
        more = np.setdiff1d(nearest[np.isfinite(by_further[nearest])], rows)
        rows, scores = np.r_[rows, more], np.r_[scores, self.vectors[more] @ vector]
        scores = np.maximum(scores, by_further[rows])
        order = np.argsort(-scores, kind="stable")[:k]
        return scores[order], rows[order]

    @cached_property
    def _further_vectors(self) -> Array:
        """The fused vectors (pictures, width of the head) of further pictures, each with its product's words."""
        return fused(self.head, self.further.image, self.text[self.further.rows])

    def scores(self, vector: Array) -> Array:
        """How near every product (n,) is to a query (width,), by the nearest of its pictures."""
        scores = self.vectors @ vector
        if len(self.further):
            scores = np.maximum(scores, self.further.highest(self._further_vectors @ vector, len(self)))
        return scores

    def nearest_pictures(
        self, vector: Array, rows: Sequence[int] | NDArray[np.int64]
    ) -> tuple[Array, Array, NDArray[np.int64]]:
        """Of each of these products the picture that is nearest to a query (width,): fused vectors (rows, width),
        embeddings (rows, width of a picture), and numbers, 0 for the first picture."""
        vectors, images, numbers = self.vectors[rows], self.image[rows], np.zeros(len(rows), np.int64)
        if len(self.further):
            places, scores = self.further.nearest(vector, self._further_vectors, rows)
            nearer = scores > vectors @ vector
            vectors[nearer], images[nearer] = self._further_vectors[places[nearer]], self.further.image[places[nearer]]
            first = np.searchsorted(self.further.rows, np.asarray(rows, np.int64)[nearer])
            numbers[nearer] = places[nearer] - first + 1
        return vectors, images, numbers

    def cosines(self, photo: Array, rows: NDArray[np.int64]) -> Array:
        """The plain cosine of a photo (1, width) with the picture of each of these products that is nearest to it."""
        dim = self.head.dim
        cosines = self.image[rows, :dim] @ photo[0, :dim]
        if len(self.further):
            cosines = np.maximum(cosines, self.further.nearest(photo[0, :dim], self.further.image[:, :dim], rows)[1])
        return cosines

    def expansion(self, image: Array, where: NDArray[np.bool_] | None = None) -> Array:
        """The query expansion of photos (n, width), as text rows (n, text width): see `query_expansion.expand`.
        With `where` (n,) for those alone, zero elsewhere."""
        expanded = np.zeros((len(image), self.text.shape[1]), np.float32)
        rows_to_expand = np.flatnonzero(image.any(1) if where is None else where)
        if len(rows_to_expand):
            expanded[rows_to_expand] = self._expansions(list(image[rows_to_expand]))
        return expanded

    @cached_property
    def _expansions(self) -> EmbeddingCache[Array]:
        """Of the last photos: one photo is asked for beside many words, and for each reason anew."""
        return EmbeddingCache[Array](
            lambda photo: photo, lambda photos: self._expand(np.stack(photos)), PHOTOS, key=lambda photo: photo.tobytes()
        )

    def _expand(self, photos: Array) -> Array:
        rows = self.neighbours(photos)
        texts = self.text[rows] * (rows >= 0)[:, :, None]
        return expand(photos, self._seen_by(photos, rows), texts, self.head.dim)

    def neighbours(self, image: Array) -> NDArray[np.int64]:
        """Rows (n, k) of the products that look most like the things on photos, nearest first; -1 where there are no
        more."""
        vectors, k = self.head.fuse(image=image), min(NEIGHBOURS, len(self))
        if len(self.further):
            return np.stack([self.search(vector, k)[1] for vector in vectors])
        ids = self.store.search(vectors, k)[1]
        return np.where(ids >= 0, np.searchsorted(self._ids, ids), -1)

    def _seen_by(self, photos: Array, rows: NDArray[np.int64]) -> Array:
        """The embeddings (n, k, width) of the pictures of products at `rows` (n, k) that are nearest to photos."""
        if not len(self.further):
            return self.image[rows]
        vectors = self.head.fuse(image=photos)
        return np.stack([self.nearest_pictures(vector, some)[1] for vector, some in zip(vectors, rows, strict=True)])

    def z_scores(self, vector: Array, scores: Array) -> Array:
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

    def thumbnail(self, product_id: str, view: int = 0) -> bytes | None:
        """The picture of a product that the app shows (WebP), its main one or a further view, counted from 1; None for
        an unknown product and for one without such a picture."""
        row = self._row.get(product_id)
        return None if row is None else self.thumbnails.read(row, view)

    def views(self, product_id: str) -> int:
        """How many further pictures of a product the app shows."""
        row = self._row.get(product_id)
        return 0 if row is None else max(0, self.thumbnails.count(row) - 1)

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
        scores = self.vectors @ apply_map(self.related, self.vectors[row : row + 1])[0]
        likely: dict[str, str] = {}
        for other in np.argsort(-scores, kind="stable")[:200]:
            p = self.products[other]
            likely.setdefault(p.parent or p.id, p.id)
        likely.pop(self.products[row].parent or product_id, None)
        return [(partner, "") for partner in list(likely.values())[:LIKELY]]

    @property
    def calibration(self) -> Calibration:
        """How scores become match probabilities in this index."""
        return Calibration(self.manifest.calibration, self.manifest.floors)

    def add(
        self,
        products: Sequence[Product],
        image: Array,
        text: Array,
        thumbnails: Thumbnails | None = None,
        picture_hashes: NDArray[np.uint8] | None = None,
        further: FurtherPictures = FurtherPictures(),
    ) -> Self:
        """A new index with more products, not yet saved.

        Parameters
        ----------
        products
            The m new products.
        image, text
            Their embeddings, as in `Contents`.
        thumbnails
            Their pictures, by row.
        picture_hashes, further
            Of their pictures, as in `Contents`.

        Raises
        ------
        InputError
            Where a product is in the index already.
        """
        repeated = [p.id for p in products if p.id in self._row]
        if repeated:
            raise InputError(
                "{n} products are in the index already, for example '{known}'; remove them first",
                n=len(repeated),
                known=repeated[0],
            )
        image, text = rounded(image), rounded(text)
        grown = replace(
            self.contents(),
            products=[*self.products, *products],
            image=np.vstack([self.image, image]),
            text=np.vstack([self.text, text]),
            vectors=np.vstack([self.vectors, fused(self.head, image, text)]),
            thumbnails=Thumbnails.concatenate(
                [(self.thumbnails, len(self)), (thumbnails or Thumbnails(), len(products))]
            ),
            picture_hashes=np.vstack([self.picture_hashes, known_hashes(picture_hashes, len(products))]),
            further=self._with_further(further, len(products)),
        )
        return self._changed(grown, np.r_[self._ids, self._next + np.arange(len(products))])

    def replace(
        self,
        products: Sequence[Product],
        image: Array,
        text: Array,
        thumbnails: Thumbnails | None = None,
        picture_hashes: NDArray[np.uint8] | None = None,
        further: FurtherPictures = FurtherPictures(),
    ) -> Self:
        """A new index, not yet saved, in which these products stand in the rows of those of the same ids.

        Parameters and faults are those of `add`, but that each product must be in the index.
        """
        rows = np.array([self.row(p.id) for p in products], np.int64)
        new_products = list(self.products)
        for r, p in zip(rows, products, strict=True):
            new_products[r] = p
        order = np.arange(len(self))  # of each row among the old ones, followed by the new ones
        order[rows] = len(self) + np.arange(len(rows))
        pictures = [(self.thumbnails, len(self)), (thumbnails or Thumbnails(), len(rows))]
        image, text = rounded(image), rounded(text)
        vectors = fused(self.head, image, text)
        contents = replace(
            self.contents(),
            products=new_products,
            image=np.vstack([self.image, image])[order],
            text=np.vstack([self.text, text])[order],
            vectors=np.vstack([self.vectors, vectors])[order],
            thumbnails=Thumbnails.concatenate(pictures).take(order),
            picture_hashes=np.vstack([self.picture_hashes, known_hashes(picture_hashes, len(rows))])[order],
            further=self._with_further(further, len(rows)).take(order),
        )
        index = self._changed(contents, self._ids)
        moved = (vectors != self.vectors[rows]).any(axis=1)
        index._replaced = np.union1d(self._replaced, self._ids[rows[moved]])
        return index

    def _with_further(self, more: FurtherPictures, count: int) -> FurtherPictures:
        """The further pictures, followed by those of so many new rows."""
        more = FurtherPictures(more.rows, rounded(more.image))
        return FurtherPictures.concatenate([(self.further, len(self)), (more, count)])

    def remove(self, ids: Sequence[str]) -> Self:
        """A new index without these products, not yet saved; raises InputError for an unknown id or an empty rest."""
        removed = {self.row(i) for i in ids}
        keep = np.array([r for r in range(len(self)) if r not in removed], np.int64)
        if not len(keep):
            raise InputError("an index cannot be left without products; delete its folder instead")
        rest = replace(
            self.contents(),
            products=[self.products[r] for r in keep],
            image=self.image[keep],
            text=self.text[keep],
            vectors=self.vectors[keep],
            thumbnails=self.thumbnails.take(keep),
            picture_hashes=self.picture_hashes[keep],
            further=self.further.take(keep),
        )
        return self._changed(rest, self._ids[keep])

    @cached_property
    def _next(self) -> int:
        """An id that no row has had since the index was opened."""
        return int(self._ids[-1]) + 1

    def contents(self) -> Contents:
        """What this index holds, for another one to be made of; the store is not passed on."""
        return Contents(
            self.products,
            self.image,
            self.text,
            self.head,
            self.manifest,
            dict(self.report),
            self.folder,
            self.thumbnails,
            self.links,
            self.related,
            self.starting_queries,
            vectors=self.vectors,
            picture_hashes=self.picture_hashes,
            further=self.further,
            behaviour=self.behaviour,
        )

    def _changed(self, contents: Contents, ids: NDArray[np.int64]) -> Self:
        if self.behaviour is not None:
            products = contents.products
            rows = np.array([self._row.get(p.id, -1) for p in products], np.int64)
            followed = self.behaviour.aligned(rows, contents.image, contents.text, [p.text for p in products])
            contents = replace(contents, behaviour=followed)
        changed = type(self)(contents)
        changed._held, changed._replaced = self._held, self._replaced
        changed._ids, changed._next = ids, max(self._next, int(ids[-1]) + 1)
        return changed

    def save(self, out: Path, pages: Callable[[dict[str, Any]], dict[str, bytes]] | None = None) -> Self:
        """Write a new version, make it live, and return it loaded.

        Parameters
        ----------
        out
            The index folder.
        pages
            Makes further files of the version from its report: name -> content.

        Raises
        ------
        InputError
            While another program writes there.
        """
        with writing(out):
            return self._save(out, pages)

    def _save(self, out: Path, pages: Callable[[dict[str, Any]], dict[str, bytes]] | None) -> Self:
        version, folder = begin_version(out)
        store, description = backends.save_vectors(self.vectors, self.manifest.store, folder, lambda: self.store)
        self.report["store"] = description
        self._write_rows(folder)
        embeddings = {"image": narrowed(self.image), "text": narrowed(self.text), "anchor": anchor(self.vectors)}
        if backends.is_remote(store):
            embeddings["fused"] = self.vectors
        save_file(embeddings, folder / "vectors.safetensors")
        save_head(self.head, folder / "head.safetensors")
        (folder / "report.json").write_text(
            json.dumps(as_json(self.report), indent=1, ensure_ascii=False), encoding="utf-8"
        )
        for name, content in (pages(self.report) if pages else {}).items():
            (folder / name).write_bytes(content)
        manifest = self.manifest.updated(
            format=FORMAT,
            version=version,
            count=len(self),
            dim=self.head.width,
            head=self.head.name,
            store=description,
            files={p.relative_to(folder).as_posix(): sha256(p) for p in sorted(folder.rglob("*")) if p.is_file()},
        )
        (folder / "manifest.json").write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
        publish(out, version, folder, backends.delete_version)
        return self.load(out)

    def _write_rows(self, folder: Path) -> None:
        """Products, pictures and links."""
        rows = "".join(json.dumps(p.row(), ensure_ascii=False) + "\n" for p in self.products)
        write_gzip(folder / ROWS, rows)
        self.thumbnails.save(folder)
        if self.links:
            write_links(self.links, folder / LINKS)
        if self.related is not None:
            save_related(self.related, folder / RELATED)
        if self.behaviour is not None:
            self.behaviour.save(folder / BEHAVIOUR)
        if self.starting_queries:
            save_starting_queries(self.starting_queries, folder / STARTING_QUERIES)
        np.save(folder / verify.PICTURE_HASHES, self.picture_hashes)
        if len(self.further):
            self.further.save(folder / verify.FURTHER, narrowed(self.further.image))

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Open the live version of an index, every file of it checked by its hash.

        Parameters
        ----------
        path
            The index folder.

        Returns
        -------
        ProductIndex
            It keeps its version from being deleted for as long as it lives.

        Raises
        ------
        InputError
            What was expected, what was found and what to do, unless every file is whole and all fit together.

        Examples
        --------
        >>> index = ProductIndex.load("index/default")  # doctest: +SKIP
        >>> index.vectors.shape == (len(index), index.head.width)  # doctest: +SKIP
        True
        """
        path = at_home(path)
        while True:
            folder = live_version(path)
            if folder is None:
                raise InputError(
                    "'{path}' is not an index: expected a file 'current' that names a version; make one with python "
                    "-m mmdemo build CATALOG --out {path}",
                    path=path,
                )
            held = Hold(folder / "manifest.json")
            try:
                index = cls(verify.read(path, folder))
            except InputError:
                if live_version(path) in (folder, None):
                    raise
                continue  # a new version took its place while this one was read
            index._held = held
            return index

    _held: Hold | None = None  # keeps the version that was opened from being deleted
    _replaced: NDArray[np.int64] = np.empty(
        0, np.int64
    )  # ids of the store in that version whose vectors are others now


def known_hashes(hashes: NDArray[np.uint8] | None, count: int) -> NDArray[np.uint8]:
    """These hashes of pictures or, for None, as many of no picture at all, which differ from any other."""
    return np.full((count, 32), 255, np.uint8) if hashes is None else hashes
