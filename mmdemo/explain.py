"""Why: the sentence and the figures behind one recommendation, taken from the score that ranked it."""

from collections.abc import Callable

from mmdemo.catalog import Product
from mmdemo.vectors import Array

PARTS = ("image", "text", "interaction")


def receipt(query_parts: Array, product: Array) -> dict[str, float]:
    """How much of the score came through the photo, the words and both together: (3, d) against (d,), exact."""
    return dict(zip(PARTS, (query_parts @ product).astype(float).tolist(), strict=True))


def word_effects(
    text: str, score_without: Callable[[list[str]], Array], score: float, most: int = 24
) -> list[tuple[str, float]]:
    """What each word of the query did to a score: the score minus the one without that word (leave one out)."""
    words = text.split()[:most]
    if len(words) < 2:
        return [(w, score) for w in words]
    without = [" ".join(words[:i] + words[i + 1 :]) for i in range(len(words))]
    return [(w, float(score - s)) for w, s in zip(words, score_without(without), strict=True)]


def shared_words(text: str, product: Product) -> list[str]:
    """The product's own attribute values and category that the query names."""
    said = f" {text.casefold()} "
    values = [*product.attributes.values(), product.category]
    return [v for v in dict.fromkeys(values) if v and len(v) > 2 and f" {v.casefold()}" in said]


def sentence(kind: str, parts: dict[str, float], product: Product, text: str, likes: bool = False) -> str:
    """One plain sentence for a card; `kind` is what was asked with: image, text, both, or neither."""
    named = shared_words(text, product)
    said = f"; it is {_join([v.lower() for v in named])}, as you asked" if named else ""
    if kind == "image":
        return "It looks like your photo."
    if kind == "text":
        return f"Its picture and text fit your words{said}."
    if kind == "both":
        total = max(1e-9, sum(abs(v) for v in parts.values()))
        image, text_part, joint = (abs(parts[p]) / total for p in PARTS)
        if joint > max(image, text_part):
            lead = "Your photo and your words together led here"
        elif image > 1.5 * text_part:
            lead = "Mostly your photo led here"
        elif text_part > 1.5 * image:
            lead = "Mostly your words led here"
        else:
            lead = "Your photo and your words both led here"
        return f"{lead}{said}."
    return "It is close to what you liked." if likes else "It is close to the product you picked."


def _join(words: list[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
