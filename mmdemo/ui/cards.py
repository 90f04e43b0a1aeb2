"""Products as HTML: every word that comes from a catalogue passes through an escaping template here.

Pages are rendered on the server and shown by `gr.HTML` with its plain `${value}` template. Its own Handlebars templates
are not used for catalogue text: their output is evaluated as a JavaScript template literal, so a title that holds
"${...}" would run in the reader's browser.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from urllib.parse import quote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from mmdemo.catalog import Product
from mmdemo.live import one_version
from mmdemo.recommender import Recommendation, Recommender
from mmdemo.say import again, language, later, named, say, say_many, speaking, word
from mmdemo.say import noun as say_noun
from mmdemo.ui.theme import ASSETS
from mmdemo.wordbook import spoken

PICTURES = "picture"  # the address under which thumbnails are served, relative to the page
STARTS = "start"  # and that of the pictures in the queries to begin with
SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "INR": "₹"}
PARTS = (("image", later("photo")), ("text", later("words")), ("interaction", later("together")))
TASTE = ("taste", later("taste"))


@cache
def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(ASSETS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {
        "_": say,
        "_n": say_many,
        "marked": marked,
        "named": named,
        "word": word,
        "again": again,
        "noun": say_noun,
    }
    return made


def marked(text: str, **values: object) -> Markup:
    """A sentence of ours in the visitor's language, what stands between *stars* bold; the values are escaped."""
    said = re.sub(r"\*(.+?)\*", r"<b>\1</b>", str(escape(say(text))))
    return Markup(said).format(**values)


def render(template: str, **values: object) -> str:
    """One template of assets/ui with these values, all of them escaped."""
    return _templates().get_template(f"{template}.html").render(**values)


def money(price: float | None, currency: str = "") -> str:
    """12.5, "EUR" -> "€12.50"; a currency without a known sign follows the number; no price is an empty string."""
    if price is None:
        return ""
    amount = f"{price:,.0f}" if price == int(price) and abs(price) >= 1000 else f"{price:,.2f}"
    sign = SYMBOLS.get(currency.upper(), currency if currency in SYMBOLS.values() else "")
    return f"{sign}{amount}" if sign or not currency else f"{amount} {currency}"


def receipt(parts: Mapping[str, float]) -> list[dict[str, object]]:
    """The parts of a score as shares of a bar (by size; a part that pulled the score down is marked)."""
    names = (*PARTS, TASTE) if "taste" in parts else PARTS
    total = sum(abs(parts.get(name, 0.0)) for name, _ in names) or 1.0
    return [
        {
            "name": name,
            "label": say(label),
            "share": round(100 * abs(parts.get(name, 0.0)) / total),
            "value": parts.get(name, 0.0),
            "against": parts.get(name, 0.0) < -0.0005,
        }
        for name, label in names
    ]


def tile(product: Product, found: Recommendation | None = None) -> dict[str, object]:
    """What one card shows; `found` adds its match, its receipt and its reason."""
    return {
        "id": product.id,
        "title": product.shown("title"),
        "category": product.shown("category"),
        "price": money(product.price, product.currency),
        "picture": picture(product),
        "match": None if found is None or found.match < 0.005 else str(round(100 * found.match)),
        "score": None if found is None else found.score,
        "parts": [] if found is None else receipt(found.parts),
        "reason": "" if found is None else found.reason,
        "variants": [],
        "loved": False,
    }


def tiles(
    found: Iterable[Recommendation], recommender: Recommender | None = None, loved: Collection[str] = ()
) -> list[dict[str, object]]:
    """One card for each recommendation, in order; with a recommender, its folded variants as swatches."""
    return [
        {**tile(item.product, item), "variants": _swatches(item, recommender), "loved": item.id in loved}
        for item in found
    ]


def _swatches(found: Recommendation, recommender: Recommender | None) -> list[dict[str, object]]:
    if recommender is None or not found.variants:
        return []
    others = [recommender.product(other) for other in found.variants]
    labels = variant_labels([found.product, *others])
    return [{**tile(other), "label": labels[other.id]} for other in others]


def picture(product: Product) -> str:
    """The address of a product's thumbnail, or an empty string where it has no picture."""
    return f"{PICTURES}/{quote(product.id, safe='')}" if product.image else ""


def pictures(product: Product, views: int) -> list[str]:
    """The addresses of all pictures of a product that has so many further ones."""
    first = picture(product)
    return [first, *(f"{first}?view={number}" for number in range(1, views + 1))] if first else []


def routes(recommender: Recommender, starts: Mapping[str, Path]) -> list[Route]:
    """Thumbnails by product id and `starts` by number, so that a page never names a folder of this machine."""

    def send(path: Path | None) -> Response:
        if path is None or not path.is_file():
            return Response("There is no such picture.", status_code=404, media_type="text/plain")
        return FileResponse(path, headers={"Cache-Control": "private, max-age=60"})

    def product(request: Request) -> Response:
        with one_version(recommender):
            wanted = request.path_params["id"]
            if not recommender.index.holds(wanted):
                return send(None)
            number = request.query_params.get("view", "0")
            if number == "0":
                return send(recommender.index.thumbnail(wanted))
            views = dict(enumerate(map(str, recommender.index.views(wanted)), 1))
            known = views.get(int(number)) if number.isdecimal() and len(number) < 6 else None
            return send(Path(known) if known else None)

    def start(request: Request) -> Response:
        return send(starts.get(request.path_params["number"]))

    return [Route(f"/{PICTURES}/{{id:path}}", product), Route(f"/{STARTS}/{{number}}", start)]


def variant_labels(variants: Sequence[Product]) -> dict[str, str]:
    """Id -> the attribute values in which a variant differs from its siblings ("oak · low"), else its title."""
    names = sorted({name for item in variants for name in item.attributes})
    differing = [name for name in names if len({item.attributes.get(name, "") for item in variants}) > 1]
    return {
        item.id: " · ".join(filter(None, (item.shown(name) for name in differing))) or item.shown("title")
        for item in variants
    }


def safe_link(url: str) -> str:
    """The address if it is an ordinary web address, else an empty string (no javascript:, no file:)."""
    try:
        return url if urlsplit(url).scheme in ("http", "https") else ""
    except ValueError:
        return ""


def catalogue_name(manifest: Mapping[str, object]) -> str:
    """What the header calls the catalogue."""
    return str(manifest.get("name") or say("catalogue"))


def noun(manifest: Mapping[str, object], count: int = 2) -> str:
    """What so many rows of a catalogue are called: "products", unless its `catalog.json` says otherwise."""
    with speaking(language(), spoken(manifest, language())):
        return say_noun(count)


def encoder_name(manifest: Mapping[str, object]) -> str:
    """What the header calls the encoder."""
    encoder = manifest.get("encoder", "")
    return str(encoder.get("name") or encoder.get("spec") or "") if isinstance(encoder, Mapping) else str(encoder)
