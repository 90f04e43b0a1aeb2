"""What `measure.py` asks in words alone, or in two languages: the text tower as a reader of English and Chinese."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from mmdemo.catalog.catalog import Catalog, Product
from mmdemo.core.holdout import Holdout
from mmdemo.core.metrics import chance_recall_at, precision_at, recall_at
from mmdemo.language.vocabulary import phrase_of
from training import words
from training.language import teach

if TYPE_CHECKING:
    from training.measure import Table

ADJECTIVES = {"stripes": "striped", "dots": "dotted", "checks": "checked", "diamonds": "geometric"}


def reader(teacher: Path) -> Callable[[Sequence[str]], np.ndarray]:
    """The sentence encoder that the text tower learnt from, as a function of texts."""
    return lambda texts: teach([(text, text) for text in texts], teacher).astype(np.float32)


def descriptions(table: Table, shops: Sequence[Catalog]) -> None:
    """Title of a product kept aside -> its description among all of its shop's, by texts alone."""
    asked, answers, shop_of_title, shop_of_answer, right = [], [], [], [], []
    for number, catalog in enumerate(shops):
        told = list(dict.fromkeys(p.description for p in catalog.products if p.description))
        says: dict[str, set[str]] = {}
        for product in catalog.products:
            if product.description and Holdout().held_out(product):
                says.setdefault(product.title, set()).add(product.description)
        asked += says
        right += [(title, number, fits) for title, fits in says.items()]
        answers += told
        shop_of_title += [number] * len(says)
        shop_of_answer += [number] * len(told)
    inside = np.array(shop_of_title)[:, None] == np.array(shop_of_answer)[None]
    fits = np.array([[answer in known for answer in answers] for _, _, known in right]) & inside
    scores = {
        name: np.where(
            inside, table.embed(table.readers, name, asked) @ table.embed(table.readers, name, answers).T, -9
        )
        for name in table.readers
    }
    for k in (1, 10):
        chance = np.mean([chance_recall_at(fits[i : i + 1, row], k) for i, row in enumerate(inside)])
        figures = {name: recall_at(score, fits, k) for name, score in scores.items()}
        task = f"text alone: title -> description in its shop, recall@{k} (products not trained on)"
        table.put(task, len(asked), len(answers), float(chance), **figures)
        if teacher := figures.pop("teacher", 0.0):
            shares = {name: figure / teacher for name, figure in figures.items()}
            table.put("the same, as a share of the teacher's", len(asked), len(answers), chance / teacher, **shares)


def translations(table: Table) -> None:
    """Each Chinese word of `words.py` -> its English one among all of them."""
    tables = (words.COLOURS, words.MATERIALS, words.PATTERNS, words.STYLES, words.PEOPLE, words.PRODUCTS)
    rows = [row for lines in tables for row in words.table(lines)]
    pairs = [(word, english) for english, chinese in rows for word in chinese]
    asked, answers = [word for word, _ in pairs], sorted({word for english, _ in rows for word in english})
    right = np.array([[answer in english for answer in answers] for _, english in pairs])
    scores = {
        name: table.embed(table.voices, name, asked) @ table.embed(table.voices, name, answers).T
        for name in table.voices
    }
    table.add("text alone: Chinese word -> English word, recall@1", right, 1, recall_at, scores)


def in_chinese(value: str, lines: str) -> str | None:
    """The Chinese word for an English one of a table, whatever its number and hyphens; None where it has none."""
    value = phrase_of(ADJECTIVES.get(value, value))
    return next((chinese[0] for english, chinese in words.table(lines) if value in map(phrase_of, english)), None)


def spoken(products: Sequence[Product]) -> list[tuple[str, str, str]]:
    """(English, Chinese, category) for each colour, pattern (else material) and category that occur together."""
    phrases = {}
    for p in products:
        colour, pattern, material = (str(p.field(name) or "") for name in ("colour", "pattern", "material"))
        second, lines = (material, words.MATERIALS) if pattern in ("", "plain") else (pattern, words.PATTERNS)
        chinese = [in_chinese(colour, words.COLOURS), in_chinese(second, lines), in_chinese(p.category, words.PRODUCTS)]
        if all(chinese):
            english = f"{colour} {ADJECTIVES.get(second, second)} {p.category.lower()}"
            phrases[english] = (english, "".join(filter(None, chinese)), p.category)
    return sorted(phrases.values())


def chinese_queries(table: Table, products: Sequence[Product], shelf: list[Image.Image]) -> None:
    """ "navy striped mug" and 藏青色条纹杯子: do they find the same ten products, and of the right category?"""
    queries = spoken(products)
    if not queries:
        return
    category = np.array([p.category for p in products])
    right = np.array([[kind == other for other in category] for _, _, kind in queries])
    scores = [table.by_words([query[i] for query in queries], shelf) for i in (0, 1)]
    for label, score in zip(("English", "Chinese"), scores, strict=True):
        table.add(f"default catalogue: {label} phrase -> category, precision@10", right, 10, precision_at, score)
    figures = {name: overlap(scores[0][name], scores[1][name]) for name in table.encoders}
    chance = 10 / len(products)
    table.put(
        "default catalogue: Chinese and English phrase, overlap@10", len(queries), len(products), chance, **figures
    )


def overlap(a: np.ndarray, b: np.ndarray, k: int = 10) -> float:
    """The mean share of the first k answers that two rankings (queries, answers) have in common."""
    first = [np.argsort(-scores, axis=1, kind="stable")[:, :k] for scores in (a, b)]
    return float(np.mean([len(np.intersect1d(x, y)) / len(x) for x, y in zip(*first, strict=True)]))
