"""The API for programs: typed endpoints over the recommender of the page, each with help for a first-time caller.

`mmdemo.serve.mcp` offers the same functions to agents. Every answer says which program and which index it came from.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import gradio as gr

from mmdemo.core.errors import InputError
from mmdemo.core.request import Taste
from mmdemo.core.version import __version__
from mmdemo.search.live import Live
from mmdemo.search.recommendation import Recommendation
from mmdemo.search.recommender import Recommender
from mmdemo.serve import arguments as asked
from mmdemo.serve.as_data import NOTE, as_data
from mmdemo.serve.catalogue_names import catalogue_name, encoder_name, row_noun
from mmdemo.serve.pictures import picture

AT_ONCE = 16  # queries that may be worked on: the encoder takes what has gathered in one pass
Endpoint = Callable[..., dict[str, Any]]


def publish(functions: dict[str, Endpoint]) -> None:
    """Add the endpoints to the page that is being built."""
    for fn in functions.values():
        gr.api(_clear(fn), api_name=fn.__name__, concurrency_id="search", concurrency_limit=AT_ONCE)


def _clear(fn: Endpoint) -> Endpoint:
    """An input at fault reaches the caller as its one sentence."""

    @wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return fn(*args, **kwargs)
        except InputError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return call


def identity(recommender: Recommender) -> dict[str, Any]:
    """What answered: the version of mmdemo, and the index by name, version and the hash of its catalogue; and, for
    whoever is a language model, what its words are."""
    manifest = recommender.index.manifest
    index = {"name": catalogue_name(manifest), "version": manifest.version}
    index["catalogue_sha256"] = manifest.catalogue_sha256
    notice = {"notice": manifest.notice} if manifest.notice else {}
    return {"mmdemo": __version__, "index": index, "catalogue_text": NOTE, **notice}


def row(found: Recommendation) -> dict[str, Any]:
    """One result: as everywhere, with what a card shows of its product."""
    item = found.product
    shown = {"category": item.category, "price": item.price, "currency": item.currency, "picture": picture(item)}
    return found.as_dict() | shown


@dataclass(frozen=True)
class Functions:
    """The functions that programs may call, on one version of the index; they take JSON and return JSON."""

    recommender: Recommender

    @asked.takes(
        "image",
        "text",
        "k",
        "weight",
        "filters",
        "like",
        "unlike",
        "reference",
        "diversity",
        "fold",
        "photos",
        "unlike_photos",
        "kind",
        "sort",
        "box",
        "history",
        "refine",
    )
    def recommend(self, **given: Any) -> dict:
        """Find products by a photo, a sentence, or both; every score splits exactly into its parts.

        Args:
            {fields}

        Returns:
            {"results": [{"rank", "id", "title", "score", "match", "grade", "parts", "reason", "close", "variants",
            "because", "tier", "new", "category", "price", "currency", "picture"}], "kind": {"name", "from",
            "certainty", "sold", "count"} or null, "unmet": [{"sentence", "instead", "count"}], "regions": [{"box",
            "kind", "certainty"}], "query": {...}, "mmdemo", "index", "catalogue_text"}.
            Words that name a product, by a title, a brand, an id or a code, add the part "name".
            A history adds the part "behaviour" where the catalogue came with what people did, "new" then marks products
            that too few have touched, and because is the id that brought a result; else it counts as taste.
            match is the calibrated chance that a result is what was asked for or a substitute; grade is "exact",
            "substitute" or "complement", null where that is not certain. Tier by tier, each best first: "asked" is of
            the kind asked for, "near" is of it but misses a condition of the words, or is of the next wider kind,
            "other" is other things. unmet says what nothing of the kind meets, and which fields of the query to change
            for the nearest there is; query.read says how the words were understood. regions are the things on the photo
            that are sold here, the most certain first; without a box the first is searched by where the kind of the
            whole photo is uncertain, as query.box says.
        """
        return self._answered(given)

    def similar(self, id: str, k: int = 10) -> dict:
        """Find products similar to one product of the catalogue.

        Args:
            id: The product's id.
            k: How many products to return, 1 to 100.

        Returns:
            {"results": [...], "query": {"id", "k"}}, results as in `recommend`.
        """
        asked.check_count(k)
        asked.check_words("id", id)
        return {"results": [row(found) for found in self.recommender.similar(id, k=k)], "query": {"id": id, "k": k}}

    def product(self, id: str) -> dict:
        """Read one product of the catalogue.

        Args:
            id: The product's id.

        Returns:
            The product's columns, "attributes" by name, and "picture", an address on this server.
        """
        asked.check_words("id", id)
        item = self.recommender.product(id)
        names = ("id", "title", "description", "category", "price", "currency", "url", "parent")
        return {name: getattr(item, name) for name in names} | {
            "attributes": dict(item.attributes),
            "picture": picture(item),
        }

    @asked.takes("image", "text", "weight", "reference", "filters", "like", "unlike", "fold", "kind", "box", "history")
    def explain(self, id: str, **given: Any) -> dict:
        """Say why a product answers a query, or why it does not.

        Args:
            id: The product's id.
            {fields}

        Returns:
            The product's rank and score, the score's parts, a sentence, what each word did (query and title), heat
            maps over both pictures with their deletion and insertion figures against random order, the smallest
            changes of the query that would move it, how it differs from the product above it, and a note on what was
            left out of a very long query.
        """
        asked.check_words("id", id)
        return self.recommender.explain(asked.query(self.recommender, given)[0], id)

    @asked.takes(
        "likes",
        "dislikes",
        "image",
        "text",
        "k",
        "weight",
        "filters",
        "reference",
        "diversity",
        "fold",
        "kind",
        "box",
        "history",
    )
    def feedback(self, **given: Any) -> dict:
        """Recommend with a shopper's taste: likes and dislikes so far move the answer (a linear bandit).

        Nothing is stored: send all likes and dislikes each time, in the order of the clicks. Without image, text and
        reference the taste alone is asked.

        Args:
            {fields}

        Returns:
            As `recommend`; parts have a fourth, "taste", and "because" is the id of the like that brought a product.
        """
        clicks = {name: given.pop(name, []) for name in ("likes", "dislikes")}
        for name, ids in clicks.items():
            asked.check_list(name, ids)
        taste = Taste(likes=tuple(clicks["likes"] or ()), dislikes=tuple(clicks["dislikes"] or ()))
        return self._answered(given, taste, {"likes": list(taste.likes), "dislikes": list(taste.dislikes)})

    def catalog(self) -> dict:
        """Read what is in the catalogue before searching it: how much, of what, and what filters can name.

        Returns:
            {"name", "noun", "count", "columns", "facets": {column: {value: count}}, "price": {"low", "high",
            "currencies"} or null, "encoder", "head", "version", "mmdemo", "index"}; a filter may name any column.
        """
        index = self.recommender.index
        priced = [item for item in index.products if item.price is not None]
        prices = [item.price for item in priced if item.price is not None]
        return {
            "name": catalogue_name(index.manifest),
            "noun": [row_noun(index.manifest, count) for count in (1, 2)],
            "count": len(index),
            "columns": index.columns,
            "facets": index.facets,
            "price": None
            if not prices
            else {
                "low": min(prices),
                "high": max(prices),
                "currencies": sorted({item.currency for item in priced}),
            },
            "encoder": encoder_name(index.manifest),
            "head": index.head.name,
            "version": __version__,
        }

    def _answered(self, given: dict[str, Any], taste: Taste | None = None, also: dict[str, Any] | None = None) -> dict:
        made, said = asked.query(self.recommender, given, taste)
        prepared = self.recommender.prepare(made)
        return {
            "results": [row(found) for found in self.recommender.recommend(prepared)],
            "kind": prepared.tiers.as_dict(),
            "unmet": [wish.as_dict() for wish in self.recommender.unmet(prepared)],
            "regions": [] if made.image is None else [r.as_dict() for r in self.recommender.regions(made.image)],
            "query": said | {"box": prepared.given.box} | (also or {}),
        }


NAMES = ("recommend", "similar", "explain", "product", "feedback", "catalog")


def call(recommender: Recommender, name: str, /, **given: Any) -> dict[str, Any]:
    """What one function answers, and which program and index answered."""
    return as_data(identity(recommender) | getattr(Functions(recommender), name)(**given))


def endpoints(live: Live) -> dict[str, Endpoint]:
    """The functions by name, each answered by the version of the index that is live when it is called."""
    return {name: _on_current(live, getattr(Functions, name)) for name in NAMES}


def _on_current(live: Live, method: Callable[..., dict[str, Any]]) -> Endpoint:
    signature = inspect.signature(method)
    _, *parameters = signature.parameters.values()
    signature = signature.replace(parameters=parameters)

    def endpoint(*args: Any, **kwargs: Any) -> dict[str, Any]:
        recommender = live.current()
        return call(recommender, method.__name__, **signature.bind(*args, **kwargs).arguments)

    endpoint.__name__, endpoint.__doc__ = method.__name__, method.__doc__
    endpoint.__annotations__ = method.__annotations__
    endpoint.__signature__ = signature  # type: ignore[attr-defined]
    return endpoint
