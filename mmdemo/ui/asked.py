"""What a program asked, as a query: every argument checked, every picture decoded. Knows no endpoint.

A picture is given as what an upload returned, as a data URL, or as the id of a product of the catalogue.
"""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder
from PIL import Image

from mmdemo.errors import InputError
from mmdemo.feedback import Taste
from mmdemo.imaging import decode
from mmdemo.query import MAX_PARTS, Filter, Query
from mmdemo.recommender import Recommender
from mmdemo.ui import uploads

MOST = 100  # results that one call may ask for
MOST_PHOTOS = 6  # that blend with the first, and as many to go away from
_DATA = re.compile(r"data:image/[\w.+-]+;base64,", re.I)


def query(recommender: Recommender, asked: dict[str, Any], taste: Taste | None = None) -> tuple[Query, dict[str, Any]]:
    """The query of an endpoint's arguments by name (those it lacks are left at their defaults), and how it was read.

    Raises InputError for what is of another type, out of range or unknown.
    """
    given = {name: value for name, value in asked.items() if value is not None}
    k, weight, diversity = given.get("k", 10), given.get("weight", 0.5), given.get("diversity", 0.0)
    check_count(k)
    if not isinstance(weight, int | float) or not 0 <= weight <= 1:
        raise InputError(f"weight must be a number from 0 (only the words) to 1 (only the photo), not {weight!r}")
    if not isinstance(diversity, int | float) or not 0 <= diversity <= 1:
        raise InputError(f"diversity must be a number from 0 (nearest) to 1 (most varied), not {diversity!r}")
    for name in ("text", "reference"):
        check_words(name, given.get(name, ""))
    for name in ("filters", "like", "unlike"):
        check_list(name, given.get(name, []))
    blend, avoid = given.get("photos", []), given.get("unlike_photos", [])
    if not all(isinstance(some, list) for some in (blend, avoid)):
        raise InputError("photos and unlike_photos must be lists of pictures")
    if max(len(blend), len(avoid)) > MOST_PHOTOS:
        raise InputError(f"at most {MOST_PHOTOS} more photos can be given, and as many to go away from")
    image, reference = given.get("image"), given.get("reference", "")
    if isinstance(image, str) and recommender.index.holds(image):  # a product of the catalogue stands in for the photo
        if reference and reference != image:
            raise InputError("give a product as the image or as the reference, not two of them")
        image, reference = None, image
    picture = picture_of(image, recommender)
    photos, unlike_photos = (
        tuple(p for one in some if (p := picture_of(one, recommender)) is not None) for some in (blend, avoid)
    )
    made = Query(
        image=picture,
        text=given.get("text", ""),
        k=k,
        weight=float(weight),
        filters=tuple(Filter.parse(rule) for rule in given.get("filters", [])[: MAX_PARTS + 1]),  # one is too many
        like=tuple(given.get("like", [])),
        unlike=tuple(given.get("unlike", [])),
        reference=reference,
        diversity=float(diversity),
        fold=bool(given.get("fold", False)),
        photos=photos,
        unlike_photos=unlike_photos,
        taste=taste or Taste(),
    )
    said = {
        "image": picture is not None,
        "text": made.text,
        "k": k,
        "weight": made.weight,
        "filters": list(given.get("filters", [])),
        "like": list(made.like),
        "unlike": list(made.unlike),
        "reference": made.reference,
        "diversity": made.diversity,
        "fold": made.fold,
        "photos": len(photos),
        "unlike_photos": len(unlike_photos),
        "read": recommender.read(made).as_dict(),
    }
    return made, said


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
            raise InputError(f"the product '{image}' has no picture; describe it in words")
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
        raise InputError(f"k must be a whole number from 1 to {MOST}, not {k!r}")


def check_words(name: str, value: Any) -> None:
    """InputError unless the value is text or nothing."""
    if not isinstance(value, str | None):
        raise InputError(f"{name} must be words, not {str(value)[:40]!r}")


def check_list(name: str, values: Any) -> None:
    """InputError unless the values are a list of text or nothing."""
    if not isinstance(values, list | None):
        raise InputError(f"{name} must be a list of words, not {str(values)[:40]!r}")
    for value in values or ():
        check_words(name, value)


def _path(image: Any) -> Any:
    return image.get("path") if isinstance(image, dict) else getattr(image, "path", None)
