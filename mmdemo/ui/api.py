"""The same recommender for programs: typed endpoints, each with its words for whoever has never seen the app.

`mmdemo.ui.tools` offers the same functions to agents. Every answer says which program and which index it came from.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import gradio as gr
from gradio.data_classes import FileData

from mmdemo import __version__
from mmdemo.errors import InputError
from mmdemo.feedback import Taste
from mmdemo.live import one_version
from mmdemo.recommender import Recommendation, Recommender
from mmdemo.ui import asked, cards

AT_ONCE = 16  # queries that may be worked on: the encoder takes what has gathered in one pass
Picture = FileData | str | None  # what an upload returned, a data URL, or the id of a product
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


def _signed(recommender: Recommender, fn: Endpoint) -> Endpoint:
    """One version of the index answers, and the answer says which."""

    @wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        with one_version(recommender):
            return fn(*args, **kwargs) | identity(recommender)

    return call


def identity(recommender: Recommender) -> dict[str, Any]:
    """What answered: the version of mmdemo, and the index by name, version and the hash of its catalogue."""
    manifest = recommender.index.manifest
    index = {"name": cards.catalogue_name(manifest), "version": str(manifest.get("version", ""))}
    index["catalogue_sha256"] = str(manifest.get("catalogue_sha256", ""))
    notice = {"notice": str(manifest["notice"])} if manifest.get("notice") else {}
    return {"mmdemo": __version__, "index": index, **notice}


def row(found: Recommendation) -> dict[str, Any]:
    """One result: as everywhere, with what a card shows of its product."""
    item = found.product
    shown = {"category": item.category, "price": item.price, "currency": item.currency, "picture": cards.picture(item)}
    return found.as_dict() | shown


def endpoints(recommender: Recommender) -> dict[str, Endpoint]:
    """The functions that programs may call, by name; they take JSON and return JSON."""

    def recommend(
        image: Picture = None,
        text: str = "",
        k: int = 10,
        weight: float = 0.5,
        filters: list[str] = [],  # noqa: B006  (Gradio reads the default as JSON)
        like: list[str] = [],  # noqa: B006
        unlike: list[str] = [],  # noqa: B006
        reference: str = "",
        diversity: float = 0.0,
        fold: bool = False,
        photos: list[Picture] = [],  # noqa: B006
        unlike_photos: list[Picture] = [],  # noqa: B006
    ) -> dict:
        """Find products by a photo, a sentence, or both; every score splits exactly into its three parts.

        Args:
            image: A picture of what is wanted: an uploaded file, a data URL, or the id of a product.
            text: What is wanted in words, or what should differ from the photo ("in blue"). Prices, exclusions and
                edits are understood in English and Chinese ("a mug under 20, not glass").
            k: How many products to return, 1 to 100.
            weight: How much the photo counts when both are given: 0 only the words, 1 only the photo.
            filters: Conditions such as "price<40" or "colour=blue|green"; all of them must hold.
            like: Ids of products that the shopper likes.
            unlike: Ids of products that the shopper does not like.
            reference: Id of a product to use as the photo; it is left out of its own answer.
            diversity: 0 for the nearest products, up to 1 for the most varied.
            fold: Whether variants of one product, and near-copies, are shown as one.
            photos: More pictures, blended with the first.
            unlike_photos: Pictures to go away from.

        Returns:
            {"results": [{"rank", "id", "title", "score", "match", "parts", "reason", "close", "variants", "because",
            "category", "price", "currency", "picture"}], "query": {...}, "mmdemo", "index"}, best first; query.read
            says how the words were understood.
        """
        return answered(locals())

    def similar(id: str, k: int = 10) -> dict:
        """Find products similar to one product of the catalogue.

        Args:
            id: The product's id.
            k: How many products to return, 1 to 100.

        Returns:
            {"results": [...], "query": {"id", "k"}}, results as in `recommend`.
        """
        asked.check_count(k)
        asked.check_words("id", id)
        return {"results": [row(found) for found in recommender.similar(id, k=k)], "query": {"id": id, "k": k}}

    def product(id: str) -> dict:
        """Read one product of the catalogue.

        Args:
            id: The product's id.

        Returns:
            The product's columns, "attributes" by name, and "picture", an address on this server.
        """
        asked.check_words("id", id)
        item = recommender.product(id)
        names = ("id", "title", "description", "category", "price", "currency", "url", "parent")
        return {name: getattr(item, name) for name in names} | {
            "attributes": dict(item.attributes),
            "picture": cards.picture(item),
        }

    def explain(
        id: str,
        image: Picture = None,
        text: str = "",
        weight: float = 0.5,
        reference: str = "",
        filters: list[str] = [],  # noqa: B006
        like: list[str] = [],  # noqa: B006
        unlike: list[str] = [],  # noqa: B006
        fold: bool = False,
    ) -> dict:
        """Say why a product answers a query, or why it does not.

        Args:
            id: The product's id.
            image: The query's picture, if any: an uploaded file, a data URL, or the id of a product.
            text: The query's words, if any.
            weight: How much the photo counts when both are given: 0 only the words, 1 only the photo.
            reference: Id of a product used as the photo, if any.
            filters: The query's conditions, such as "price<40".
            like: Ids of products that the query goes towards.
            unlike: Ids of products that the query goes away from.
            fold: Whether ranks count variants of one product as one.

        Returns:
            The product's rank and score, the score's parts, a sentence, what each word did (query and title), heat
            maps over both pictures with their deletion and insertion figures against random order, the smallest
            changes of the query that would move it, how it differs from the product above it, and a note on what was
            left out of a very long query.
        """
        given = locals()
        asked.check_words("id", given.pop("id"))
        return recommender.explain(asked.query(recommender, given)[0], id)

    def feedback(
        likes: list[str] = [],  # noqa: B006
        dislikes: list[str] = [],  # noqa: B006
        image: Picture = None,
        text: str = "",
        k: int = 10,
        weight: float = 0.5,
        filters: list[str] = [],  # noqa: B006
        reference: str = "",
        diversity: float = 0.0,
        fold: bool = False,
    ) -> dict:
        """Recommend with a shopper's taste: likes and dislikes so far move the answer (a linear bandit).

        Nothing is stored: send all likes and dislikes each time, in the order of the clicks. Without image, text and
        reference the taste alone is asked.

        Args:
            likes: Ids of products that the shopper liked.
            dislikes: Ids of products that the shopper disliked; they are left out.
            image: A picture of what is wanted, if any: an uploaded file, a data URL, or the id of a product.
            text: What is wanted in words, if anything.
            k: How many products to return, 1 to 100.
            weight: How much the photo counts when both are given: 0 only the words, 1 only the photo.
            filters: Conditions such as "price<40".
            reference: Id of a product to use as the photo, if any.
            diversity: 0 for the nearest products, up to 1 for the most varied.
            fold: Whether variants of one product, and near-copies, are shown as one.

        Returns:
            As `recommend`; parts have a fourth, "taste", and "because" is the id of the like that brought a product.
        """
        given = locals()
        for name in ("likes", "dislikes"):
            asked.check_list(name, given.pop(name))
        taste = Taste(tuple(likes or ()), tuple(dislikes or ()))
        return answered(given, taste, {"likes": list(taste.likes), "dislikes": list(taste.dislikes)})

    def catalog() -> dict:
        """Read what is in the catalogue before searching it: how much, of what, and what filters can name.

        Returns:
            {"name", "noun", "count", "columns", "facets": {column: {value: count}}, "price": {"low", "high",
            "currencies"} or null, "encoder", "head", "version", "mmdemo", "index"}; a filter may name any column.
        """
        index = recommender.index
        priced = [item for item in index.products if item.price is not None]
        prices = [item.price for item in priced if item.price is not None]
        return {
            "name": cards.catalogue_name(index.manifest),
            "noun": [cards.noun(index.manifest, count) for count in (1, 2)],
            "count": len(index),
            "columns": index.columns,
            "facets": index.facets,
            "price": None if not prices else {
                "low": min(prices), "high": max(prices), "currencies": sorted({item.currency for item in priced}),
            },
            "encoder": cards.encoder_name(index.manifest),
            "head": index.head.name,
            "version": __version__,
        }  # fmt: skip

    def answered(given: dict[str, Any], taste: Taste | None = None, also: dict[str, Any] | None = None) -> dict:
        made, said = asked.query(recommender, given, taste)
        return {"results": [row(found) for found in recommender.recommend(made)], "query": said | (also or {})}

    return {fn.__name__: _signed(recommender, fn) for fn in (recommend, similar, explain, product, feedback, catalog)}
