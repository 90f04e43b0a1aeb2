"""What a program asked, as a query: every argument checked, every picture decoded. Knows no endpoint.

A picture is given as what an upload returned, as a data URL, or as the id of a product of the catalogue.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

from gradio.data_classes import FileData
from gradio.utils import get_upload_folder
from PIL import Image

from mmdemo.catalog.imaging import decode
from mmdemo.core.errors import InputError
from mmdemo.core.request import MAX_PARTS, Query, Refinement, Taste
from mmdemo.search.recommender import Recommender
from mmdemo.search.refine import refine
from mmdemo.serve import uploads

Picture = FileData | str | None  # what an upload returned, a data URL, or the id of a product
COUNT = 10  # results, where a call does not say how many
MOST = 100  # results that one call may ask for
MOST_PHOTOS = 6  # that blend with the first, and as many to go away from
FIELDS = Query.model_fields | Taste.model_fields | Refinement.model_fields
_DATA = re.compile(r"data:image/[\w.+-]+;base64,", re.I)


def takes(*fields: str) -> Callable[[Any], Any]:
    """Let an endpoint take these fields of a query, with the types, defaults and help that the request model has.

    They come after its own parameters, and stand in its docstring for "{fields}".
    """

    def decorate(endpoint: Any) -> Any:
        whole = signature(endpoint)
        own = [p for p in whole.parameters.values() if p.kind is not Parameter.VAR_KEYWORD]
        taken = [parameter(name) for name in fields]
        endpoint.__signature__ = whole.replace(parameters=[*own, *taken])
        endpoint.__annotations__ = endpoint.__annotations__ | {p.name: p.annotation for p in taken}
        del endpoint.__annotations__["given"]
        endpoint.__doc__ = endpoint.__doc__.replace("{fields}", "\n            ".join(map(_help, fields)))
        return endpoint

    return decorate


def parameter(name: str) -> Parameter:
    """A field of the request model as JSON has it: a list for a tuple, and for a picture what stands for one."""
    default = FIELDS[name].default
    kind: Any = type(default)
    if isinstance(default, tuple):
        kind, default = list[Picture] if "photos" in name else list[str], []
    if name == "image":
        kind = Picture
    if name == "box":
        kind, default = list[float], []
    if name == "k":
        default = COUNT
    return Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=kind)


def _help(name: str) -> str:
    said = (FIELDS[name].description or "").removesuffix(".")
    more = {"image": ": an uploaded file, a data URL, or the id of a product", "k": f", 1 to {MOST}"}
    return f"{name}: {said}{more.get(name, '')}."


def query(
    recommender: Recommender, arguments: dict[str, Any], taste: Taste | None = None
) -> tuple[Query, dict[str, Any]]:
    """The query of an endpoint's arguments by name (those it lacks are left at their defaults), and how it was read.

    Raises InputError for a value of another type, out of range or unknown.
    """
    values = {"k": COUNT} | {name: value for name, value in arguments.items() if value is not None}
    check_count(values["k"])
    for name in ("filters", "like", "unlike", "history"):
        check_list(name, values.get(name))
    image, reference = values.get("image"), values.get("reference", "")
    # A product of the catalogue stands in for the photo, by its vector; a part of its picture is encoded as any other.
    if isinstance(image, str) and recommender.index.holds(image) and not values.get("box"):
        if reference and reference != image:
            raise InputError("give a product as the image or as the reference, not two of them")
        image, reference = None, image
    pictures = {"image": picture_of(image, recommender)} | _more_photos(values, recommender)
    if "filters" in values:  # enough for the request model to refuse too many, without reading them all
        values["filters"] = values["filters"][: MAX_PARTS + 1]
    if "fold" in values:
        values["fold"] = bool(values["fold"])
    values["box"] = values.get("box") or None
    said = Refinement(refine=values.pop("refine", "")).refine.strip()
    request = Query.from_arguments(values | pictures | {"reference": reference, "taste": taste})
    if said:
        request = refine(recommender, request, said)
        values["filters"] = [str(condition) for condition in request.filters]
    echo = {
        "image": request.image is not None,
        "text": request.text,
        "k": request.k,
        "weight": request.weight,
        "filters": values.get("filters", []),
        "like": list(request.like),
        "unlike": list(request.unlike),
        "history": list(request.history),
        "reference": request.reference,
        "diversity": request.diversity,
        "fold": request.fold,
        "kind": request.kind,
        "sort": request.sort,
        "photos": len(request.photos),
        "unlike_photos": len(request.unlike_photos),
        "read": recommender.read(request).as_dict(),
    }
    return request, echo


def _more_photos(values: dict[str, Any], recommender: Recommender) -> dict[str, tuple[Image.Image, ...]]:
    """The pictures to blend with the first and those to go away from, decoded."""
    lists = {name: values.get(name, []) for name in ("photos", "unlike_photos")}
    if not all(isinstance(images, list) for images in lists.values()):
        raise InputError("photos and unlike_photos must be lists of pictures")
    if max(map(len, lists.values())) > MOST_PHOTOS:
        raise InputError("at most {most} more photos can be given, and as many to go away from", most=MOST_PHOTOS)
    return {
        name: tuple(picture for image in images if (picture := picture_of(image, recommender)) is not None)
        for name, images in lists.items()
    }


def picture_of(image: Any, recommender: Recommender | None = None) -> Image.Image | None:
    """The decoded picture, None for none: an upload's record or path, a data URL or, with a recommender, an id."""
    if not image:
        return None
    if isinstance(image, str) and (head := _DATA.match(image)):
        try:
            data = base64.b64decode(image[head.end() :], validate=True)
        except (binascii.Error, ValueError):
            raise InputError("the data URL of the picture is not base64; send data:image/png;base64,...") from None
        return decode(data, max_side=uploads.SIDE)
    if isinstance(image, str) and recommender is not None and recommender.index.holds(image):
        thumbnail = recommender.index.thumbnail(image)
        if thumbnail is None:
            raise InputError("the product '{image}' has no picture; describe it in words", image=image)
        return decode(thumbnail, max_side=uploads.SIDE)
    path = image if isinstance(image, str) else _path(image)
    if not isinstance(path, str) or not path:
        raise InputError("a picture is what an upload returned, a data URL, or the id of a product")
    if path.lower().startswith(("http:", "https:", "data:")):
        raise InputError(
            "a picture is never fetched from an address; upload it, or send it as data:image/png;base64,..."
        )
    if isinstance(image, str) and recommender is not None and not Path(path).is_absolute():
        recommender.index.row(path)  # says which id is nearest
    return uploads.read(path, Path(get_upload_folder()).resolve())


def check_count(k: Any) -> None:
    """InputError unless k is a number of results that may be asked for."""
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= MOST:
        raise InputError("k must be a whole number from 1 to {most}, not {k}", most=MOST, k=repr(k))


def check_words(name: str, value: Any) -> None:
    """InputError unless the value is text or nothing."""
    if not isinstance(value, str | None):
        raise InputError("{name} must be words, not {value}", name=name, value=repr(str(value)[:40]))


def check_list(name: str, values: Any) -> None:
    """InputError unless the values are a list of text or nothing."""
    if not isinstance(values, list | None):
        raise InputError("{name} must be a list of words, not {values}", name=name, values=repr(str(values)[:40]))
    for value in values or ():
        check_words(name, value)


def _path(image: Any) -> Any:
    return image.get("path") if isinstance(image, dict) else getattr(image, "path", None)
