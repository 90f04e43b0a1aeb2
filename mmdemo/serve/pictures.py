"""The addresses of pictures, and the routes that serve them, so that a page never names a folder of this machine."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from urllib.parse import quote

from PIL import Image
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mmdemo.catalog.product import Product
from mmdemo.search.live import Live
from mmdemo.search.recommender import Recommender

CACHED = {"Cache-Control": "private, max-age=60"}
PICTURES = "picture"  # the address of thumbnails, relative to the page
SMALL = 56  # pixels of the longer side of a photo among the steps of a visit, which is drawn at half of that
STARTS = "start"  # the address of the pictures of starting queries


def picture(product: Product) -> str:
    """The address of a product's thumbnail, or an empty string where it has no picture."""
    return f"{PICTURES}/{quote(product.id, safe='')}" if product.image else ""


def pictures(product: Product, views: int) -> list[str]:
    """The addresses of all pictures of a product that has this many further views."""
    first = picture(product)
    return [first, *(f"{first}?view={number}" for number in range(1, views + 1))] if first else []


def small(photo: Image.Image) -> str:
    """A photo as a data URL of some hundred bytes, which stays when the photo itself is deleted."""
    little, file = photo.convert("RGB"), io.BytesIO()
    little.thumbnail((SMALL, SMALL))
    little.save(file, "WEBP", quality=60)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"


def routes(live: Live, starts: Mapping[str, bytes]) -> list[Route]:
    """Thumbnails by product id, and the pictures of starting queries by number."""

    def product(request: Request) -> Response:
        return _send(_content(live.current(), request.path_params["id"], request.query_params.get("view", "0")))

    def start(request: Request) -> Response:
        return _send(starts.get(request.path_params["number"]))

    return [Route(f"/{PICTURES}/{{id:path}}", product), Route(f"/{STARTS}/{{number}}", start)]


def _content(recommender: Recommender, product_id: str, view: str) -> bytes | None:
    """One view of a product, None where there is none; view "0" is the main picture."""
    return recommender.index.thumbnail(product_id, int(view)) if view.isdecimal() and len(view) < 6 else None


def _send(picture: bytes | None) -> Response:
    if picture is None:
        return Response("There is no such picture.", status_code=404, media_type="text/plain")
    return Response(picture, media_type="image/webp", headers=CACHED)
