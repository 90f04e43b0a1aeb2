"""Keep an index in step with its shop: what an export adds, changes and no longer has, in one new version.

A picture is encoded only where it is new, a text only where its words are; head, calibration and the rest stay as the
build made them.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmdemo.catalog.catalog import Catalog, Refusal
from mmdemo.catalog.product import Product
from mmdemo.core.errors import InputError
from mmdemo.core.messages import Message
from mmdemo.core.progress import Progress, silent
from mmdemo.encode.embed import EncodedCatalog, embed
from mmdemo.encode.embeddings import text_embeddings
from mmdemo.encode.encoder import Encoder
from mmdemo.index.locks import writing
from mmdemo.index.product_index import ProductIndex, known_hashes
from mmdemo.pipeline.learn_behaviour import learn_behaviour

MOST_REMOVED = 0.5  # of an index's products, unless more is asked for: half an export is likelier than half a shop
WORK = ".updating"  # where an update keeps its shards


@dataclass(frozen=True)
class Changes:
    """What an update did, in numbers of products.

    Attributes
    ----------
    added, changed, removed
        Products that are new, that differ from before, and that the export no longer has.
    unchanged
        Products that are as before; those whose rows were refused among them.
    encoded
        Of the added and changed ones, those whose pictures were encoded.
    refused
        The pictures that did not decode. Their products stay as they were, or out of the index.
    """

    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    encoded: int = 0
    refused: Sequence[Refusal] = ()

    @property
    def message(self) -> Message:
        """The numbers in one sentence."""
        return Message(
            "{added:,} added, {changed:,} changed, {removed:,} removed, {unchanged:,} as before; pictures "
            "encoded: {encoded:,}",
            added=self.added,
            changed=self.changed,
            removed=self.removed,
            unchanged=self.unchanged,
            encoded=self.encoded,
        )


@dataclass(frozen=True)
class Plan:
    """What is to be done with the products of an export, and with those that it no longer has.

    Attributes
    ----------
    encode
        Products that are new or have new pictures.
    rewrite
        Products that have other words, another price or other attributes, and the same pictures.
    remove
        Ids of products that are gone.
    """

    encode: Sequence[Product]
    rewrite: Sequence[Product]
    remove: Sequence[str]


def compare(index: ProductIndex, catalog: Catalog) -> Plan:
    """What distinguishes an export from an index; a product whose row was refused is not taken for removed."""
    encode, rewrite = list[Product](), list[Product]()
    for product in catalog:
        if not index.holds(product.id):
            encode.append(product)
            continue
        row = index.row(product.id)
        if catalog.picture_hash(product) != index.picture_hashes[row].tobytes():
            encode.append(product)
        elif product != index.products[row]:
            rewrite.append(product)
    kept = {product.id for product in catalog} | {refusal.id for refusal in catalog.refused}
    return Plan(encode, rewrite, [p.id for p in index.products if p.id not in kept and p.id[:80] not in kept])


def update(
    index_dir: Path, catalog: Catalog, encoder: Encoder, *, shrink: bool = False, progress: Progress = silent
) -> tuple[ProductIndex, Changes]:
    """Bring an index to what a shop's whole export holds, and save it as one new version.

    Parameters
    ----------
    index_dir
        The index folder.
    catalog
        The whole export: a product that it does not have is removed.
    encoder
        The one that made the index.
    shrink
        Remove more than half of the products, too.
    progress
        Called with (done, total, what).

    Returns
    -------
    tuple[ProductIndex, Changes]
        The saved index, the one that is live where nothing changed, and what was done.

    Raises
    ------
    InputError
        While another program writes to the index, or where more than half of it would go without `shrink`.
    """
    with writing(index_dir):
        index = ProductIndex.load(index_dir)
        plan = compare(index, catalog)
        if len(plan.remove) > MOST_REMOVED * len(index) and not shrink:
            raise InputError(
                "{n:,} of the {all:,} products of the index are not in this export, for example '{id}'; an update "
                "takes a shop's whole export. If they are to go, say --shrink, or build the catalogue anew.",
                n=len(plan.remove),
                all=len(index),
                id=plan.remove[0],
            )
        if not (plan.encode or plan.rewrite or plan.remove or catalog.events):
            return index, Changes(unchanged=len(index))
        work = index_dir / WORK
        updated, changes = _applied(index, plan, catalog, encoder, work, progress)
        updated.report["refused"] = [vars(r) for r in (*catalog.refused, *changes.refused)]
        if catalog.mapping:
            updated.manifest = updated.manifest.updated(columns=catalog.mapping)
        if catalog.events is not None:
            updated.behaviour, learnt = learn_behaviour(updated, catalog.events, progress=progress)
            updated.report["behaviour"] = learnt.as_dict()
        saved = updated.save(index_dir)
        shutil.rmtree(work, ignore_errors=True)
        return saved, changes


def _applied(
    index: ProductIndex, plan: Plan, catalog: Catalog, encoder: Encoder, work: Path, progress: Progress
) -> tuple[ProductIndex, Changes]:
    """The index after a plan, not yet saved."""
    before, added, refused, encoded = len(index), 0, list[Refusal](), 0
    if plan.rewrite:
        index = _rewritten(index, plan.rewrite, encoder)
    changed = len(plan.rewrite)
    if plan.encode:
        done = embed(replace(catalog, products=list(plan.encode)), encoder, work, resume=True, progress=progress)
        refused, encoded = done.refused, sum(bool(p.image) for p in done.products)
        held = np.array([index.holds(p.id) for p in done.products], bool)
        if held.any():
            index = index.replace(*_rows(done, np.flatnonzero(held)))
        if not held.all():
            index = index.add(*_rows(done, np.flatnonzero(~held)))
        changed, added = changed + int(held.sum()), int((~held).sum())
    if plan.remove:
        index = index.remove(plan.remove)
    unchanged = before - len(plan.remove) - changed
    return index, Changes(added, changed, len(plan.remove), unchanged, encoded, refused)


def _rows(done: EncodedCatalog, places: NDArray[np.int64]) -> tuple[Any, ...]:
    """Some of the encoded products, as `ProductIndex.add` and `replace` take them."""
    hashes = known_hashes(done.picture_hashes, len(done.products))[places]
    products = [done.products[i] for i in places]
    pictures = done.thumbnails.take(places), hashes, done.further.take(places)
    return products, done.image[places], done.text[places], *pictures


def _rewritten(index: ProductIndex, products: Sequence[Product], encoder: Encoder) -> ProductIndex:
    """The index with other words, prices and attributes of some products; a text is encoded only where it is new."""
    rows = np.array([index.row(p.id) for p in products], np.int64)
    text = np.array(index.text[rows])
    new = [i for i, (r, p) in enumerate(zip(rows, products, strict=True)) if p.text != index.products[r].text]
    if new:
        text[new] = text_embeddings(encoder, [products[i].text for i in new])
    pictures = index.thumbnails.take(rows), index.picture_hashes[rows], index.further.take(rows)
    return index.replace(products, index.image[rows], text, *pictures)
