"""Products as HTML: every word that comes from a catalogue passes through an escaping template here.

Pages are rendered on the server and shown by `gr.HTML` with its plain `${value}` template. Its own Handlebars templates
are not used for catalogue text: their output is evaluated as a JavaScript template literal, so a title that holds
"${...}" would run in the reader's browser.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from mmdemo.catalog.catalog import Product
from mmdemo.core.messages import N_, Message, Term, plural
from mmdemo.core.money import format_price
from mmdemo.search.recommendation import Recommendation
from mmdemo.search.recommender import Recommender
from mmdemo.serve.pictures import picture
from mmdemo.serve.translation import named, noun, translate, word
from mmdemo.ui.theme import ASSETS

PARTS = (("image", N_("photo")), ("text", N_("words")), ("interaction", N_("together")))
FURTHER_PARTS = (("taste", N_("taste")), ("name", N_("name")), ("behaviour", N_("people")))
GRADES = {"exact": N_("Exact match"), "substitute": N_("Similar"), "complement": N_("Also fits")}


@cache
def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(ASSETS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_in_language,
    )
    made.globals |= {
        "_": translate,
        "_n": lambda *counted, **values: translate(plural(*counted, **values)),
        "marked": marked,
        "named": named,
        "word": word,
        "noun": noun,
    }
    return made


def marked(text: str, **values: object) -> Markup:
    """A sentence of ours in the visitor's language, what stands between *stars* bold; the values are escaped."""
    said = re.sub(r"\*(.+?)\*", r"<b>\1</b>", str(escape(translate(text))))
    return Markup(said).format(**{name: _in_language(value) for name, value in values.items()})


def _in_language(value: object) -> object:
    """What a template shows: messages and terms in the language of the page, everything else as it is."""
    return translate(value) if isinstance(value, Message | Term) else value


def render(template: str, **values: object) -> str:
    """One template of assets/ui with these values, all of them escaped."""
    return _templates().get_template(f"{template}.html").render(**values)


def receipt(parts: Mapping[str, float]) -> list[dict[str, object]]:
    """The parts of a score as shares of a bar (by size; a part that pulled the score down is marked)."""
    names = (*PARTS, *(part for part in FURTHER_PARTS if part[0] in parts))
    total = sum(abs(parts.get(name, 0.0)) for name, _ in names) or 1.0
    return [
        {
            "name": name,
            "label": translate(label),
            "share": round(100 * abs(parts.get(name, 0.0)) / total),
            "value": parts.get(name, 0.0),
            "against": parts.get(name, 0.0) < -0.0005,
        }
        for name, label in names
    ]


def grade_word(grade: str | None) -> str:
    """What a card calls a grade, in the page's language; "" for one that is not certain."""
    return translate(GRADES[grade]) if grade in GRADES else ""


def tile(product: Product, found: Recommendation | None = None) -> dict[str, object]:
    """What one card shows; `found` adds its grade, its receipt and its reason."""
    return {
        "id": product.id,
        "title": translate(product.shown("title")),
        "category": translate(product.shown("category")),
        "price": format_price(product.price, product.currency),
        "picture": picture(product),
        "grade": "" if found is None else grade_word(found.grade),
        "score": None if found is None else found.score,
        "parts": [] if found is None else receipt(found.parts),
        "reason": "" if found is None else found.reason,
        "new": found is not None and found.new,
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


def variant_labels(variants: Sequence[Product]) -> dict[str, str]:
    """Id -> the attribute values in which a variant differs from its siblings ("oak · low"), else its title."""
    names = sorted({name for item in variants for name in item.attributes})
    differing = [name for name in names if len({item.attributes.get(name, "") for item in variants}) > 1]
    return {
        item.id: " · ".join(filter(None, (translate(item.shown(name)) for name in differing)))
        or translate(item.shown("title"))
        for item in variants
    }


def safe_link(url: str) -> str:
    """The address if it is an ordinary web address, else an empty string (no javascript:, no file:)."""
    try:
        return url if urlsplit(url).scheme in ("http", "https") else ""
    except ValueError:
        return ""
