"""The fused vectors in Milvus: one collection on a server or cluster, or in a local file by Milvus Lite.

The same contract as every store of store.py. What an index folder keeps of it is a small JSON file that says where the
collection is; the password comes from the environment (MILVUS_TOKEN=user:password) and is never written down.
"""

import json
import logging
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import numpy as np

from mmdemo.core.errors import InputError
from mmdemo.core.vectors import Array, storable
from mmdemo.index.exact import measured_recall
from mmdemo.index.vector_file import Ids

KIND = "HNSW"
BUILD = {"M": 16, "efConstruction": 200}
EF = 256  # candidates of a search at least; Milvus's own default is as many as results, which finds a third of them
MOST = 16384  # results that a Milvus server gives at once
FEW = 10_000  # ids that a filter spells out at once
BATCH = 4 << 20  # bytes of vectors in one message
PATIENCE = 30.0  # seconds for one answer
INDEXING = 3600.0  # seconds until an index must be built, or be in memory
GREETING = 5.0  # seconds until a server must have said something


def place(store: str) -> str:
    """Where `milvus:URI` says that the vectors live, a file by its full path; InputError for what no URI can be."""
    uri = store.removeprefix("milvus:")
    if uri.endswith(".db"):
        return str(Path(uri).resolve())
    if not re.fullmatch(r"https?://\S+", uri):
        raise InputError("'{store}' names no Milvus: expected milvus:http://host:19530 or milvus:file.db", store=store)
    if urlsplit(uri).password is not None:
        raise InputError("a password in the URI would end up in the index; set MILVUS_TOKEN=user:password instead")
    return uri


def connect(uri: str) -> Any:
    """A client of the Milvus at `uri`; InputError within seconds where there is none."""
    try:
        import pymilvus
    except ModuleNotFoundError:
        raise InputError(
            "vectors in Milvus need the package pymilvus: pip install -r requirements-milvus.txt"
        ) from None
    for name in ("pymilvus", "milvus_lite"):  # they log whole tracebacks of what is said in one sentence here
        logging.getLogger(name).setLevel(logging.CRITICAL)
    # Milvus Lite hangs up on a client that asks every few seconds whether it is there, as pymilvus does when idle.
    quiet = {"grpc.keepalive_time_ms": 2**31 - 1} if uri.endswith(".db") else {}
    token = os.environ.get("MILVUS_TOKEN", "")
    try:
        return pymilvus.MilvusClient(uri=uri, token=token, timeout=GREETING, grpc_options=quiet)
    except ModuleNotFoundError:
        raise InputError(
            "a local Milvus file needs the package milvus-lite: pip install -r requirements-milvus.txt"
        ) from None
    except Exception as e:  # pymilvus raises its own, grpc's and ValueError
        raise InputError(_unreachable(uri, e)) from None


def _unreachable(uri: str, e: Exception) -> str:
    answer = str(getattr(e, "message", e))[:160]
    if uri.endswith(".db"):
        return (
            f"the Milvus file '{uri}' does not answer ({answer}); one program at a time can open it: close the other, or "
            "use a server"
        )
    return f"no answer from Milvus at {uri} ({answer}); start it, or set MILVUS_TOKEN=user:password if it wants one"


class MilvusStore:
    """A collection of unit vectors, HNSW over inner products; every read sees every write before it."""

    def __init__(self, dim: int, uri: str, collection: str) -> None:
        """The collection is made by the first `add` and may exist; raises InputError where nobody answers."""
        self.dim, self.uri, self.collection = dim, uri, collection
        self._client = connect(uri)
        self._there = bool(self._ask("has_collection"))

    def _ask(self, what: str, seconds: float = PATIENCE, **given: Any) -> Any:
        try:
            return getattr(self._client, what)(self.collection, timeout=seconds, **given)
        except Exception as e:
            raise InputError(_unreachable(self.uri, e)) from None

    def _create(self) -> None:
        import pymilvus

        schema = pymilvus.MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("id", pymilvus.DataType.INT64, is_primary=True)
        schema.add_field("vector", pymilvus.DataType.FLOAT_VECTOR, dim=self.dim)
        index = pymilvus.MilvusClient.prepare_index_params()
        index.add_index("vector", index_type=KIND, metric_type="IP", params=BUILD)
        self._ask("create_collection", INDEXING, schema=schema, index_params=index, consistency_level="Strong")
        self._there = True

    def __len__(self) -> int:
        if not self._there:
            return 0
        # Strong: with any weaker level what was deleted a moment ago is still counted.
        answer = self._ask("query", filter="", output_fields=["count(*)"], consistency_level="Strong")
        return int(answer[0]["count(*)"])

    def add(self, ids: Ids, vectors: Array) -> None:
        ids, vectors = storable(ids, vectors, self.dim, self._known(ids))
        if not self._there:
            self._create()
        step = max(1, BATCH // (4 * self.dim))
        for start in range(0, len(ids), step):
            batch = slice(start, start + step)
            rows = [{"id": int(i), "vector": v} for i, v in zip(ids[batch], vectors[batch], strict=True)]
            self._ask("insert", data=rows)

    def search(self, vectors: Array, k: int, filter: Ids | None = None) -> tuple[Array, Ids]:
        """As the protocol says, for k up to 16,384."""
        vectors = np.atleast_2d(np.asarray(vectors, np.float32))
        k = min(k, MOST)
        if filter is None or not self._there:
            return self._nearest(vectors, k)
        allowed = np.unique(np.asarray(filter, np.int64))
        if len(allowed) > FEW:
            # A long list takes a server 14 us an id; where most are allowed, the best of all nearly always hold k.
            scores, ids = self._nearest(vectors, min(MOST, 16 * k + 64))
            ids = np.where(np.isin(ids, allowed), ids, -1)
            if ((ids >= 0).sum(1) >= k).all():
                return _best(np.where(ids >= 0, scores, -np.inf), ids, k)
        answers = [self._nearest(vectors, k, part.tolist()) for part in _parts(allowed)]
        if not answers:
            return np.full((len(vectors), k), -np.inf, np.float32), np.full((len(vectors), k), -1, np.int64)
        return _best(np.hstack([scores for scores, _ in answers]), np.hstack([ids for _, ids in answers]), k)

    def _nearest(self, vectors: Array, k: int, allowed: list[int] | None = None) -> tuple[Array, Ids]:
        scores, ids = np.full((len(vectors), k), -np.inf, np.float32), np.full((len(vectors), k), -1, np.int64)
        if not self._there:
            return scores, ids
        params = {"metric_type": "IP", "params": {"ef": max(EF, 2 * k)}}
        answers = self._ask(
            "search",
            data=vectors,
            limit=k,
            search_params=params,
            consistency_level="Strong",
            output_fields=["id"],
            filter="" if allowed is None else f"id in {allowed}",
        )
        for row, hits in enumerate(answers):
            scores[row, : len(hits)] = [hit["distance"] for hit in hits]
            ids[row, : len(hits)] = [hit["id"] for hit in hits]
        return _best(scores, ids, k)

    def remove(self, ids: Ids) -> int:
        stored = self._known(ids)
        for part in _parts(stored):
            self._ask("delete", ids=part.tolist())
        return len(stored)

    def _known(self, ids: Ids) -> Ids:
        return np.array([row["id"] for row in self._rows(ids, ["id"])], np.int64)

    def _rows(self, ids: Ids, fields: list[str]) -> Iterator[dict[str, Any]]:
        if self._there:
            for part in _parts(np.unique(np.asarray(ids, np.int64))):
                yield from self._ask(
                    "query", filter=f"id in {part.tolist()}", output_fields=fields, consistency_level="Strong"
                )

    def vectors(self, ids: Ids) -> Array:
        """The exact unit rows (n, d) stored under these ids; raises KeyError for one that is not there."""
        vector_of = {row["id"]: row["vector"] for row in self._rows(ids, ["id", "vector"])}
        return np.array([vector_of[int(i)] for i in ids], np.float32).reshape(len(ids), self.dim)

    def _everything(self) -> Iterator[tuple[Ids, Array]]:
        if not self._there:
            return
        step = min(MOST, max(1, BATCH // (4 * self.dim)))
        pages = self._ask("query_iterator", batch_size=step, filter="", output_fields=["id", "vector"])
        while rows := pages.next():
            yield np.array([r["id"] for r in rows], np.int64), np.array([r["vector"] for r in rows], np.float32)
        pages.close()

    def recall(self, queries: Array, k: int = 10) -> float:
        """The share of the true k nearest of these queries (n, d) that `search` gives back, counted by brute force."""
        return measured_recall(self, queries, k, self._everything())

    def describe(self) -> dict[str, Any]:
        """What a manifest says of the store: its kind and parameters, ready for JSON, no secrets."""
        return {
            "kind": "milvus",
            "uri": self.uri,
            "collection": self.collection,
            "index": KIND,
            **BUILD,
            "ef": EF,
            "count": len(self),
        }

    def save(self, path: Path) -> None:
        """Write down where the collection is, and wait until the server has it on its disk and has built its index."""
        path.write_text(json.dumps({"uri": self.uri, "collection": self.collection, "dim": self.dim}))
        if not self._there:
            return
        self._ask("flush", INDEXING)
        until = time.monotonic() + INDEXING
        while self._ask("describe_index", index_name="vector").get("pending_index_rows"):
            if time.monotonic() > until:
                raise InputError(
                    "Milvus at {uri} has not indexed '{collection}' in {minutes:.0f} min",
                    uri=self.uri,
                    collection=self.collection,
                    minutes=INDEXING / 60,
                )
            time.sleep(0.5)
        if not self.uri.endswith(".db"):
            # Until it is loaded again, a server may search by a makeshift index: it knows nothing of EF and finds half.
            self._ask("release_collection")
            self._ask("load_collection", INDEXING)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Opens the collection that a file written by `save` names; one that is gone is empty."""
        try:
            note = json.loads(path.read_text(encoding="utf-8"))
            dim, uri, collection = int(note["dim"]), str(note["uri"]), str(note["collection"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            raise InputError(
                "{name} does not say where the vectors are; build the index again", name=path.name
            ) from None
        store = cls(dim, place(uri), collection)
        if store._there:
            store._ask("load_collection", INDEXING)
        return store

    def drop(self) -> None:
        """Delete the collection; nothing happens where there is none."""
        if self._there:
            self._ask("drop_collection")
            self._there = False


def _parts(ids: Ids) -> list[Ids]:
    return [ids[start : start + FEW] for start in range(0, len(ids), FEW)]


def _best(scores: Array, ids: Ids, k: int) -> tuple[Array, Ids]:
    """The k best of each row's candidates, best first."""
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(scores, order, 1), np.take_along_axis(ids, order, 1)
