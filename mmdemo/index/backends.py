"""Chooses where the fused vectors of an index are kept: in its folder by FAISS, or in a collection of Milvus."""

import hashlib
import re
import shutil
from collections.abc import Callable, Container
from pathlib import Path
from typing import Any

import numpy as np

from mmdemo.core.errors import InputError
from mmdemo.core.vectors import Array
from mmdemo.index.compact import SMALL
from mmdemo.index.exact import measured_recall, sampled
from mmdemo.index.store import BESIDE, FaissStore, VectorStore
from mmdemo.index.vector_file import Ids

FAISS, MILVUS = "index.faiss", "index.milvus"  # the vectors; a note of where in Milvus they are
RECALL_QUERIES = 64  # sampled queries whose recall the manifest states
STEP = 8192  # rows that are read at a time


def save_vectors(
    vectors: Array, where: dict[str, Any], folder: Path, local: Callable[[], VectorStore]
) -> tuple[VectorStore, dict[str, Any]]:
    """Save unit rows (n, d) in a version's folder, or in the Milvus that `where` names.

    `local` gives a FAISS store that holds them already, for the folder; where that of a small index compares every
    vector, nothing is written. Returns the store and its description, with the recall@10 that was measured.
    """
    store: VectorStore
    if where.get("kind") == "milvus":
        from mmdemo.index.milvus import MilvusStore

        path, store = folder / MILVUS, MilvusStore(vectors.shape[1], where["uri"], collection(folder))
        store.save(path)  # before the collection exists: after a kill it is found by this file and dropped
        store.add(np.arange(len(vectors)), vectors)
        store.save(path)
    else:
        store = local()
        if len(vectors) > SMALL or not (isinstance(store, FaissStore) and store.is_flat):
            store.save(folder / FAISS)
    ids = row_ids(store, len(vectors))
    steps = (slice(s, s + STEP) for s in range(0, len(vectors), STEP))
    recall = measured_recall(
        store, sampled(vectors, RECALL_QUERIES), 10, ((ids[step], vectors[step]) for step in steps)
    )
    return store, store.describe() | {"recall@10": round(recall, 4)}


def updated_store(base: Path | None, ids: Ids, vectors: Array, replaced: Ids) -> FaissStore:
    """A store of unit rows (n, d) under ascending ids.

    It is the one in the folder `base`, if any, without the ids that are not given, with those that are new, and with
    other vectors for those that are `replaced`; its lists are not learnt again, and the folder is only read.
    """
    if base is not None and (base / FAISS).is_file():
        store = FaissStore.load(base / FAISS)
    else:
        store = FaissStore(vectors.shape[1])
    store.remove(np.union1d(np.setdiff1d(store.ids, ids), replaced))
    new = ~np.isin(ids, store.ids)
    store.add(ids[new], vectors[new])
    return store


def row_ids(store: VectorStore | None, count: int) -> Ids:
    """The ids of an index's rows, ascending; there are gaps where products were removed.

    In Milvus, and before a store is made, they are the row numbers.
    """
    return store.ids if isinstance(store, FaissStore) else np.arange(count)


def open_store(folder: Path, files: Container[str]) -> VectorStore | None:
    """The store of a version's folder that lists these files; None where its head computes the vectors anew.

    Check the hashes first.
    """
    if MILVUS in files:
        from mmdemo.index.milvus import MilvusStore

        return MilvusStore.load(folder / MILVUS)
    return FaissStore.load(folder / FAISS) if FAISS in files else None


def is_remote(store: VectorStore) -> bool:
    """Whether the vectors are kept outside the version's folder."""
    return not isinstance(store, FaissStore)


def local_vectors(store: VectorStore, folder: Path) -> Array | None:
    """All vectors (n, d) of a store that keeps them in the folder; None for a remote store.

    Vectors that have a file of their own are mapped, the others read.
    """
    if not isinstance(store, FaissStore):
        return None
    beside = folder / (FAISS + BESIDE)
    return np.asarray(np.load(beside, mmap_mode="c")) if beside.is_file() else store.everything()[1]


def collection(folder: Path) -> str:
    """The name in Milvus of a version's folder, finished or not: no other index has the same, not even a copy."""
    index, version = folder.parent.resolve(), folder.name.strip(".").removesuffix(".part")
    place = hashlib.sha256(str(index).encode()).hexdigest()[:8]
    return re.sub(r"\W", "_", f"mmdemo_{index.name[:100]}_{place}_{version}", flags=re.ASCII)


def delete_version(folder: Path) -> None:
    """Delete a version's folder and its collection; where Milvus does not answer, both are left for the next save."""
    if (folder / MILVUS).exists():
        from mmdemo.index.milvus import MilvusStore

        try:
            store = MilvusStore.load(folder / MILVUS)
            if store.collection == collection(folder):  # a copied folder names the collection of its original
                store.drop()
        except InputError:
            return
    shutil.rmtree(folder, ignore_errors=True)
