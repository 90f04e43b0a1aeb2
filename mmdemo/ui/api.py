"""The same recommender for programs: typed endpoints, which are MCP tools by the same names."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData
from gradio.utils import get_upload_folder
from PIL import Image

from mmdemo.errors import InputError
from mmdemo.feedback import Taste
from mmdemo.live import one_version
from mmdemo.query import Filter, Query
from mmdemo.recommender import Recommender
from mmdemo.ui import cards, uploads

MOST = 100  # results that one call may ask for
AT_ONCE = 16  # queries that may be worked on: the encoder takes what has gathered in one pass
MOST_PHOTOS = 6  # that blend with the first, and as many to go away from
NO_TASTE = Taste()


def _clear(recommender: Recommender, fn: Callable[..., Any]) -> Callable[..., Any]:
    """One version of the index answers; an input at fault reaches the caller as its one sentence."""

    @wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            with one_version(recommender):
                return fn(*args, **kwargs)
        except InputError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return call


def publish(recommender: Recommender) -> None:
    """Add the endpoints to the page that is being built."""

    def query(
        image: Any,
        text: str,
        k: int,
        weight: float,
        filters: list[str],
        like: list[str],
        unlike: list[str],
        reference: str,
        diversity: float = 0.0,
        fold: bool = False,
        photos: list[Any] | None = None,
        unlike_photos: list[Any] | None = None,
        taste: Taste = NO_TASTE,
    ) -> tuple[Query, dict[str, Any]]:
        if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= MOST:
            raise InputError(f"k must be a whole number from 1 to {MOST}, not {k!r}")
        if not isinstance(weight, (int, float)) or not 0 <= weight <= 1:
            raise InputError(f"weight must be a number from 0 (only the words) to 1 (only the photo), not {weight!r}")
        if not isinstance(diversity, (int, float)) or not 0 <= diversity <= 1:
            raise InputError(f"diversity must be a number from 0 (nearest) to 1 (most varied), not {diversity!r}")
        for name, value in {"text": text, "reference": reference}.items():
            _check_words(name, value)
        for name, values in {"filters": filters, "like": like, "unlike": unlike}.items():
            _check_list(name, values)
        if not all(isinstance(some, list | None) for some in (photos, unlike_photos)):
            raise InputError("photos and unlike_photos must be lists of uploaded pictures")
        if max(len(photos or ()), len(unlike_photos or ())) > MOST_PHOTOS:
            raise InputError(f"at most {MOST_PHOTOS} more photos can be given, and as many to go away from")
        picture = picture_of(image)
        blend, avoid = (
            tuple(p for one in some or () if (p := picture_of(one)) is not None) for some in (photos, unlike_photos)
        )
        asked = Query(
            image=picture,
            text=text or "",
            k=k,
            weight=float(weight),
            filters=tuple(Filter.parse(rule) for rule in filters or ()),
            like=tuple(like or ()),
            unlike=tuple(unlike or ()),
            reference=reference or "",
            diversity=float(diversity),
            fold=bool(fold),
            photos=blend,
            unlike_photos=avoid,
            taste=taste,
        )
        said = {
            "image": picture is not None,
            "text": asked.text,
            "k": k,
            "weight": asked.weight,
            "filters": list(filters or ()),
            "like": list(asked.like),
            "unlike": list(asked.unlike),
            "reference": asked.reference,
            "diversity": asked.diversity,
            "fold": asked.fold,
            "photos": len(blend),
            "unlike_photos": len(avoid),
            "read": recommender.read(asked).as_dict(),
        }
        return asked, said

    def recommend(
        image: FileData | None = None,
        text: str = "",
        k: int = 10,
        weight: float = 0.5,
        filters: list[str] = [],  # noqa: B006  (Gradio reads the default as JSON)
        like: list[str] = [],  # noqa: B006
        unlike: list[str] = [],  # noqa: B006
        reference: str = "",
        diversity: float = 0.0,
        fold: bool = False,
        photos: list[FileData] = [],  # noqa: B006
        unlike_photos: list[FileData] = [],  # noqa: B006
    ) -> dict:
        """Find products by a photo, a sentence, or both; every score splits exactly into its three parts.

        Args:
            image: An uploaded picture of what is wanted.
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
            photos: More uploaded pictures, blended with the first.
            unlike_photos: Uploaded pictures to go away from.

        Returns:
            {"results": [{"rank", "id", "title", "score", "match", "parts", "reason", "variants", "because"}],
            "query": {...}}, best first; query.read says how the words were understood.
        """
        asked, said = query(
            image, text, k, weight, filters, like, unlike, reference, diversity, fold, photos, unlike_photos
        )
        return {"results": [found.as_dict() for found in recommender.recommend(asked)], "query": said}

    def similar(id: str, k: int = 10) -> dict:
        """Find products similar to one product of the catalogue.

        Args:
            id: The product's id.
            k: How many products to return, 1 to 100.

        Returns:
            {"results": [...], "query": {"id", "k"}}, results as in `recommend`.
        """
        if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= MOST:
            raise InputError(f"k must be a whole number from 1 to {MOST}, not {k!r}")
        _check_words("id", id)
        return {"results": [found.as_dict() for found in recommender.similar(id, k=k)], "query": {"id": id, "k": k}}

    def product(id: str) -> dict:
        """Read one product of the catalogue.

        Args:
            id: The product's id.

        Returns:
            The product's columns, "attributes" by name, and "picture", an address on this server.
        """
        _check_words("id", id)
        item = recommender.product(id)
        names = ("id", "title", "description", "category", "price", "currency", "url", "parent")
        return {name: getattr(item, name) for name in names} | {
            "attributes": dict(item.attributes),
            "picture": cards.picture(item),
        }

    def explain(
        id: str,
        image: FileData | None = None,
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
            image: The query's uploaded picture, if any.
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
            changes of the query that would move it, and how it differs from the product above it.
        """
        _check_words("id", id)
        asked, _ = query(image, text, 10, weight, filters, like, unlike, reference, fold=fold)
        return recommender.explain(asked, id)

    def feedback(
        likes: list[str] = [],  # noqa: B006
        dislikes: list[str] = [],  # noqa: B006
        image: FileData | None = None,
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
            image: An uploaded picture of what is wanted, if any.
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
        for name, values in {"likes": likes, "dislikes": dislikes}.items():
            _check_list(name, values)
        taste = Taste(tuple(likes or ()), tuple(dislikes or ()))
        asked, said = query(image, text, k, weight, filters, [], [], reference, diversity, fold, taste=taste)
        said |= {"likes": list(taste.likes), "dislikes": list(taste.dislikes)}
        return {"results": [found.as_dict() for found in recommender.recommend(asked)], "query": said}

    for fn in (recommend, similar, product, explain, feedback):
        gr.api(_clear(recommender, fn), api_name=fn.__name__, concurrency_id="search", concurrency_limit=AT_ONCE)


def _check_words(name: str, value: Any) -> None:
    if not isinstance(value, str | None):
        raise InputError(f"{name} must be words, not {str(value)[:40]!r}")


def _check_list(name: str, values: Any) -> None:
    if not isinstance(values, list | None):
        raise InputError(f"{name} must be a list of words, not {str(values)[:40]!r}")
    for value in values or ():
        _check_words(name, value)


def picture_of(image: Any) -> Image.Image | None:
    """The decoded picture of an upload's record (a FileData, or the dictionary it arrives as), None for none."""
    if not image:
        return None
    path = image.get("path") if isinstance(image, dict) else getattr(image, "path", None)
    if not isinstance(path, str) or not path:
        raise InputError("image must be an uploaded file: send what the upload returned")
    return uploads.read(path, Path(get_upload_folder()).resolve())
