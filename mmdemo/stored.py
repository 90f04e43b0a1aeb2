"""Where the fused vectors of an index are kept: in its folder by FAISS, or in a collection of Milvus."""

import hashlib
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from mmdemo.errors import InputError
from mmdemo.exact import sampled, share_found
from mmdemo.store import BESIDE, FaissStore, VectorStore
from mmdemo.vectors import Array

FAISS, MILVUS = "index.faiss", "index.milvus"  # the vectors themselves; where in Milvus they are
QUERIES = 64  # sampled queries whose recall the manifest states
STEP = 8192  # rows that are looked at at a time


def put(
    vectors: Array, where: dict[str, Any], folder: Path, ready: VectorStore | None = None
) -> tuple[VectorStore, dict[str, Any]]:
    """Keep unit rows (n, d) under their numbers, in a version's folder or in the Milvus that `where` names.

    `ready` is a store that holds them already.

    Returns the store and what it says of itself, with the recall@10 that was measured.
    """
    store: VectorStore
    if where.get("kind") == "milvus":
        from mmdemo.milvus import MilvusStore

        path, store = folder / MILVUS, MilvusStore(vectors.shape[1], where["uri"], collection(folder))
        store.save(path)  # before the collection is there: whoever clears up after a kill finds it by this
    else:
        path, store = folder / FAISS, ready if isinstance(ready, FaissStore) else FaissStore(vectors.shape[1])
    if not len(store):
        store.add(np.arange(len(vectors)), vectors)
    store.save(path)
    steps = (np.arange(s, min(s + STEP, len(vectors))) for s in range(0, len(vectors), STEP))
    recall = share_found(store, sampled(vectors, QUERIES), 10, ((rows, vectors[rows]) for rows in steps))
    return store, store.describe() | {"recall@10": round(recall, 4)}


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
