"""The "Why this?" part of the product page: the receipt, the words, the maps and what would change the answer."""

from __future__ import annotations

import base64
import io
from typing import Any

from PIL import Image

from mmdemo.explain.explanation import Explanation, Map
from mmdemo.serve.translation import noun, translate
from mmdemo.ui import cards

FAINT = 0.12  # of the strongest effect: what is weaker stays untinted
SOURCES = 3  # products of a history that are named
LEAST = 0.005  # of a score: what is weaker would be written +0.00


def section(why: Explanation | None, whole: bool) -> str:
    """The section as HTML: empty without a query; with `whole`, checks and changes too, which take a second longer."""
    if why is None:
        return ""
    return cards.render(
        "why",
        rank=why.rank,
        parts=cards.receipt(why.receipt),
        score=why.score,
        reason=why.reason,
        groups=[
            {"name": translate("Your words, each left out in turn"), "words": tinted(why.words)},
            {"name": translate("The words of its title, each left out in turn"), "words": tinted(why.title_words)},
        ],
        pictures=[
            _picture(
                translate("Your photo") if why.query.image is not None else translate("Where you started"),
                why.query_map,
                why.query_check if whole else None,
                whole,
            ),
            _picture(
                translate("This {noun}", noun=noun(1)), why.product_map, why.product_check if whole else None, whole
            ),
        ],
        behaviour=_behaviour(why),
        conditions=[part for part in why.reading.parts],
        note=why.note,
        whole=whole,
        chance=_chance(why.match),
        next=why.behaviour is not None and not why.query.directed,  # nothing was asked for: it is what may come next
        grade=cards.grade_word(why.grade),
        changes=[change.sentence for change in why.changes] if whole else [],
        above=why.above if whole else None,
    )


def _behaviour(why: Explanation) -> dict[str, Any] | None:
    """What the part of people is made of: the products of the history that say most, and the rest in one."""
    told = why.behaviour
    if told is None:
        return None
    first = sorted(told["history"], key=lambda one: -abs(one["share"]))[:SOURCES]
    shown = [
        {"title": translate(why.index.products[why.index.row(one["id"])].shown("title")), "share": one["share"]}
        for one in first
    ]
    rest = sum(one["share"] for one in told["history"]) - sum(one["share"] for one in first)
    return {"from": shown, "rest": rest if len(told["history"]) > SOURCES else None, **told}


def _chance(match: float) -> str:
    """A chance in per cent, never as certain as 0 or 100."""
    return "<1" if match < 0.01 else ">99" if match > 0.99 else str(round(100 * match))


def tinted(words: list[tuple[str, float]]) -> list[dict[str, Any]]:
    """Words with the strength of their tint, -1 (pulled the score down) to 1 (held it up most)."""
    most = max((abs(effect) for _, effect in words), default=0) or 1
    least = max(LEAST, FAINT * most)
    return [
        {"word": word, "effect": effect, "tint": round(effect / most, 2) if abs(effect) > least else 0}
        for word, effect in words
    ]


def _picture(name: str, made: Map | None, check: Any, whole: bool) -> dict[str, Any] | None:
    if made is None:
        return None
    most = max(abs(v) for row in made.heat for v in row) or 1
    return {
        "name": name,
        "src": _inline(made.picture),
        "cells": [round(v / most, 2) for row in made.heat for v in row],
        "side": len(made.heat),
        "ratio": made.picture.width / made.picture.height,
        "check": check,
        "checked": whole,
        "shown": not whole or (check is not None and check.gain > 0),
    }


def _inline(picture: Image.Image) -> str:
    """A small picture as a data address: a photo is shown to the one who sent it and kept nowhere."""
    file = io.BytesIO()
    picture.convert("RGB").save(file, "JPEG", quality=82)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
