"""Where the fused vectors of an index are kept: in its folder by FAISS, or in a collection of Milvus."""

import hashlib
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mmdemo.errors import InputError
from mmdemo.exact import sampled, share_found
from mmdemo.store import BESIDE, FaissStore, VectorStore
from mmdemo.vectorfile import Ids
from mmdemo.vectors import Array

FAISS, MILVUS = "index.faiss", "index.milvus"  # the vectors themselves; where in Milvus they are
QUERIES = 64  # sampled queries whose recall the manifest states
STEP = 8192  # rows that are looked at at a time


def put(
    vectors: Array, where: dict[str, Any], folder: Path, near: Callable[[], VectorStore]
) -> tuple[VectorStore, dict[str, Any]]:
    """Keep unit rows (n, d) in a version's folder, or in the Milvus that `where` names.

    `near` gives a store that holds them already, for the folder. Returns the store and what it says of itself, with the
    recall@10 that was measured.
    """
    store: VectorStore
    if where.get("kind") == "milvus":
        from mmdemo.milvus import MilvusStore

        path, store = folder / MILVUS, MilvusStore(vectors.shape[1], where["uri"], collection(folder))
        store.save(path)  # before the collection is there: whoever clears up after a kill finds it by this
        store.add(np.arange(len(vectors)), vectors)
    else:
        path, store = folder / FAISS, near()
    store.save(path)
    ids = ids_of(store, len(vectors))
    steps = (slice(s, s + STEP) for s in range(0, len(vectors), STEP))
    recall = share_found(store, sampled(vectors, QUERIES), 10, ((ids[some], vectors[some]) for some in steps))
    return store, store.describe() | {"recall@10": round(recall, 4)}


def following(base: Path | None, ids: Ids, vectors: Array) -> FaissStore:
    """A store of unit rows (n, d) under ascending ids: that of a version's folder, where there is one, without what is
    gone and with what is new. What it has learnt stays; the folder is only read."""
    if base is not None and (base / FAISS).is_file():
        store = FaissStore.load(base / FAISS)
    else:
        store = FaissStore(vectors.shape[1])
    store.remove(np.setdiff1d(store.ids, ids))
    new = ~np.isin(ids, store.ids)
    store.add(ids[new], vectors[new])
    return store


def ids_of(store: VectorStore | None, count: int) -> Ids:
    """The ids of an index's rows, in their order: with gaps where products were removed. Elsewhere, and in a store that
    is yet to be made, they are the rows' numbers."""
    return store.ids if isinstance(store, FaissStore) else np.arange(count)


def opened(folder: Path) -> VectorStore:
    """The store of a version's folder. Check the hashes first."""
    if (folder / MILVUS).exists():
        from mmdemo.milvus import MilvusStore

        return MilvusStore.load(folder / MILVUS)
    return FaissStore.load(folder / FAISS)


def far(store: VectorStore) -> bool:
    """Whether the vectors are elsewhere than in the folder."""
    return not isinstance(store, FaissStore)


def rows_of(store: VectorStore, folder: Path) -> Array | None:
    """All vectors (n, d) of a store that keeps them in the folder, many of them mapped; None where it is far."""
    if not isinstance(store, FaissStore):
        return None
    beside = folder / (FAISS + BESIDE)
    return np.asarray(np.load(beside, mmap_mode="c")) if beside.is_file() else store.everything()[1]


def collection(folder: Path) -> str:
    """The name in Milvus of a version's folder, finished or not: no other index has the same, not even a copy."""
    index, version = folder.parent.resolve(), folder.name.strip(".").removesuffix(".part")
    place = hashlib.sha256(str(index).encode()).hexdigest()[:8]
    return re.sub(r"\W", "_", f"mmdemo_{index.name[:100]}_{place}_{version}", flags=re.ASCII)


def forget(folder: Path) -> None:
    """Delete a version's folder and its collection; where Milvus does not answer, both wait for the next time."""
    if (folder / MILVUS).exists():
        from mmdemo.milvus import MilvusStore

        try:
            store = MilvusStore.load(folder / MILVUS)
            if store.collection == collection(folder):  # in a copied folder it is another's
                store.drop()
        except InputError:
            return
    shutil.rmtree(folder, ignore_errors=True)
