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

from mmdemo import imaging
from mmdemo.errors import InputError
from mmdemo.query import Filter, Query
from mmdemo.recommender import Recommender
from mmdemo.ui import cards

SIDE = 512  # pixels; as in the command line, so that both give the same answer
MOST = 100  # results that one call may ask for


def uploaded(path: str) -> Path:
    """The path if it is a file that came in as an upload; InputError for any other file of this machine."""
    folder = Path(get_upload_folder()).resolve()
    file = Path(path).resolve()
    if not file.is_relative_to(folder) or not file.is_file():
        raise InputError(
            "the picture was not uploaded to this server; upload it first and send what the upload returned"
        )
    return file


def _clear(fn: Callable[..., Any]) -> Callable[..., Any]:
    """An input at fault reaches the caller as its one sentence."""

    @wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
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
    ) -> tuple[Query, dict[str, Any]]:
        if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= MOST:
            raise InputError(f"k must be a whole number from 1 to {MOST}, not {k!r}")
        if not isinstance(weight, (int, float)) or not 0 <= weight <= 1:
            raise InputError(f"weight must be a number from 0 (only the words) to 1 (only the photo), not {weight!r}")
        picture = picture_of(image)
        asked = Query(
            image=picture,
            text=text or "",
            k=k,
            weight=float(weight),
            filters=tuple(Filter.parse(rule) for rule in filters or ()),
            like=tuple(like or ()),
            unlike=tuple(unlike or ()),
            reference=reference or "",
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
        }
        return asked, said

    @_clear
    def recommend(
        image: FileData | None = None,
        text: str = "",
        k: int = 10,
        weight: float = 0.5,
        filters: list[str] = [],  # noqa: B006  (Gradio reads the default as JSON)
        like: list[str] = [],  # noqa: B006
        unlike: list[str] = [],  # noqa: B006
        reference: str = "",
    ) -> dict:
        """Find products by a photo, a sentence, or both; every score splits exactly into its three parts.

        Args:
            image: An uploaded picture of what is wanted.
            text: What is wanted in words, or what should differ from the photo ("in blue").
            k: How many products to return, 1 to 100.
            weight: How much the photo counts when both are given: 0 only the words, 1 only the photo.
            filters: Conditions such as "price<40" or "colour=blue|green"; all of them must hold.
            like: Ids of products that the shopper likes.
            unlike: Ids of products that the shopper does not like.
            reference: Id of a product to use as the photo; it is left out of its own answer.

        Returns:
            {"results": [{"rank", "id", "title", "score", "match", "parts", "reason"}], "query": {...}}, best first.
        """
        asked, said = query(image, text, k, weight, filters, like, unlike, reference)
        return {"results": [found.as_dict() for found in recommender.recommend(asked)], "query": said}

    @_clear
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
        return {"results": [found.as_dict() for found in recommender.similar(id, k=k)], "query": {"id": id, "k": k}}

    @_clear
    def product(id: str) -> dict:
        """Read one product of the catalogue.

        Args:
            id: The product's id.

        Returns:
            The product's columns, "attributes" by name, and "picture", an address on this server.
        """
        item = recommender.product(id)
        names = ("id", "title", "description", "category", "price", "currency", "url", "parent")
        return {name: getattr(item, name) for name in names} | {
            "attributes": dict(item.attributes),
            "picture": cards.picture(item),
        }

    @_clear
    def explain(
        id: str,
        image: FileData | None = None,
        text: str = "",
        weight: float = 0.5,
        reference: str = "",
    ) -> dict:
        """Say why a product answers a query, or why it does not.

        Args:
            id: The product's id.
            image: The query's uploaded picture, if any.
            text: The query's words, if any.
            weight: How much the photo counts when both are given: 0 only the words, 1 only the photo.
            reference: Id of a product used as the photo, if any.

        Returns:
            The score of this product for this query, split into its parts, with what lies behind them.
        """
        asked, _ = query(image, text, 10, weight, [], [], [], reference)
        return recommender.explain(asked, id)

    for fn in (recommend, similar, product, explain):
        gr.api(fn, api_name=fn.__name__)


def picture_of(image: Any) -> Image.Image | None:
    """The decoded picture of an upload's record (a FileData, or the dictionary it arrives as), None for none."""
    if not image:
        return None
    path = image.get("path") if isinstance(image, dict) else getattr(image, "path", None)
    if not isinstance(path, str) or not path:
        raise InputError("image must be an uploaded file: send what the upload returned")
    return imaging.decode(uploaded(path), max_side=SIDE)
