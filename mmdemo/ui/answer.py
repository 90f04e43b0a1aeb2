"""The answer to a search as HTML: cards in order, what the sentence was taken for, and help where little was found."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from mmdemo.core.messages import Message, listed, plural
from mmdemo.core.request import ANY_KIND, WHOLE, Filter, Query
from mmdemo.core.spreadsheet import write_csv
from mmdemo.evaluate.click_log import ClickLog
from mmdemo.explain.counterfactual import LITTLE
from mmdemo.fusion.prepared_query import PreparedQuery
from mmdemo.language.reading import Part
from mmdemo.language.tiers import Tier
from mmdemo.pipeline.export import result_rows
from mmdemo.search.facets import Relaxation, facet_counts, passing, relaxations
from mmdemo.search.in_catalogue import nothing_matches
from mmdemo.search.recommendation import Recommendation
from mmdemo.search.recommender import Recommender
from mmdemo.search.regions import Region
from mmdemo.search.unmet import Unmet
from mmdemo.serve.translation import noun, translate, word
from mmdemo.ui import cards
from mmdemo.ui.map import inline
from mmdemo.ui.search_state import ORDERS, SearchState, columns, written

NEAR = 0.6  # share of the best score from which on another thing is near enough to be shown below the kind asked for
MOST_WAYS, MOST_KINDS = 4, 10
IN_A_ROW = 4  # answers for one of several things
SIDE = 512  # pixels of the photo above them


def page(
    recommender: Recommender,
    search: SearchState,
    query: Query | PreparedQuery,
    log: ClickLog | None = None,
    before: int | None = None,
) -> tuple[str, dict[str, dict[str, int]]]:
    """The results as HTML, and the counts of the filters that go with them; a `log` may put the first in another order
    and gives the answer its name, and `before` is the step of the trail to go back to."""
    prepared = recommender.prepare(query)
    if search.everything and prepared.given.image is not None and recommender.regions(prepared.given.image):
        return _everything(recommender, search, prepared.given), {}
    query, found = prepared.given, _near_enough(prepared, recommender.recommend(prepared))
    found, answer = log.shown(prepared, found) if log is not None else (found, "")
    best = found[0].match if found else 0.0
    missing = recommender.unmet(prepared)
    doubtful = nothing_matches(query, found) and not (missing and found[0].tier is not Tier.OTHER)
    better = (
        [way for way in relaxations(recommender, prepared) if not found or (way.close and way.match > best)]
        if (doubtful or not found) and not missing
        else []
    )
    total = int((prepared.tiers.of_rows >= 0).sum())  # that pass the conditions, of the form and of the sentence
    shown = {"n": len(found), "all": f"{total:,}", "noun": noun(total)}
    html = cards.render(
        "results",
        heading=translate("{n} of {all} {noun} for {query}", **shown, query=said(recommender, query)) if found else "",
        doubtful=doubtful,
        ways=[_way(prepared, way) for way in better[:MOST_WAYS]],
        unfiltered=passing(recommender, search.without("*", "").query(recommender, query.taste))
        if not found and not better and search.narrowed
        else 0,
        missing=[_missing(query, wish) for wish in missing],
        kinds=_kinds(recommender) if doubtful or not found else [],
        groups=[
            {
                "divider": _divider(prepared, tier) if tier is not found[0].tier else "",
                "items": cards.tiles([r for r in found if r.tier is tier], recommender, query.taste.likes),
            }
            for tier in dict.fromkeys(r.tier for r in found)
        ],
        bars=any(len([part for part in cards.receipt(r.parts) if part["share"]]) > 1 for r in found),
        taste=any("taste" in r.parts for r in found),
        name=any("name" in r.parts for r in found),
        behaviour=any("behaviour" in r.parts for r in found),
        link=search.link(),
        before=before,
        photo=bool(search.photo or search.blend or search.avoid),
        worded=bool(search.text.strip()),
        orders=ORDERS,
        order=search.order if search.order != "match" else prepared.query.sort,
        csv=as_csv(found),
        answer=answer,
    )
    return html, facet_counts(recommender, prepared, columns(recommender))


def as_csv(found: Sequence[Recommendation]) -> str:
    """Results as a CSV file for a spreadsheet, in the address of a link."""
    file = io.StringIO()
    write_csv(
        file, ([translate(cell) if isinstance(cell, Message) else cell for cell in row] for row in result_rows(found))
    )
    return "data:text/csv;charset=utf-8," + quote("\ufeff" + file.getvalue())


def said(recommender: Recommender, query: Query) -> str:
    """What was asked, for a heading."""
    photos = (query.image is not None) + len(query.photos)
    start = query.reference or "".join(query.like)
    asked = [
        (translate("your photo") if photos == 1 else translate("your {n} photos", n=photos)) if photos else "",
        f"“{translate(recommender.product(start).shown('title'))}”" if start else "",
        f"“{query.text}”" if query.text else "",
    ]
    what = translate("what you looked at") if query.history else translate("your taste")
    return translate(listed([part for part in asked if part] or [what]))


def understood(recommender: Recommender, query: Query | PreparedQuery) -> str:
    """What the sentence was taken for, as chips."""
    prepared = recommender.prepare(query)
    reading, kind = prepared.reading, prepared.tiers.kind
    named = kind.asked.words if kind is not None and kind.certain else ""
    every = prepared.given.kind == ANY_KIND
    if not (reading.sentence or named or every):
        return ""
    parts = [
        {"said": p.words, "kind": p.kind, "meaning": p.meaning, "without": reading.without(p)} for p in reading.parts
    ]
    left = reading.text if reading.text != reading.sentence else ""  # what was typed, nobody needs to be told
    return cards.render(
        "understood",
        parts=parts,
        text=left,
        notes=reading.notes,
        kind=word("category", named),
        every=every,
    )


def marks(recommender: Recommender, query: Query, everything: bool) -> str:
    """What lies over the photo: the things on it that are sold here, and the box that is searched by."""
    found = recommender.regions(query.image) if query.image is not None else []
    box = WHOLE if everything else recommender.looking(query).box or WHOLE
    shown = [{**_mark(number, region), "chosen": region.box == box} for number, region in enumerate(found, 1)]
    return cards.render(
        "marks",
        marks=None if query.image is None else shown,
        box=written(box),
        framed=box != WHOLE,
        everything=everything,
    )


def _everything(recommender: Recommender, search: SearchState, query: Query) -> str:
    """A row of answers for each thing on the photo that is sold here, below the photo with their numbers."""
    assert query.image is not None
    found = recommender.regions(query.image)
    rows = []
    for number, region in enumerate(found, 1):
        answers = recommender.recommend(query.with_(box=region.box, k=IN_A_ROW))
        rows.append({**_mark(number, region), "items": cards.tiles(answers, recommender, query.taste.likes)})
    return cards.render(
        "everything",
        heading=plural(len(found), "{n} thing on your photo that we sell", "{n} things on your photo that we sell"),
        photo=inline(query.image, SIDE),
        rows=rows,
        link=search.link(),
    )


def _mark(number: int, region: Region) -> dict[str, Any]:
    """A thing on the photo with its number, and where its dot stands, in per cent."""
    left, top, right, bottom = region.box
    kind, middle = word("category", region.kind), (round(50 * (left + right), 1), round(50 * (top + bottom), 1))
    return {"number": number, "kind": kind, "box": written(region.box), "x": middle[0], "y": middle[1]}


def narrowed_to(recommender: Recommender, search: SearchState) -> int | None:
    """How many products pass the form's filters, None without any."""
    allowed = recommender.index.allowed(search.filters)
    return None if allowed is None else len(allowed)


def _near_enough(prepared: PreparedQuery, found: list[Recommendation]) -> list[Recommendation]:
    """The answers without other things that are far, where the kind that is asked for is among them."""
    if not prepared.tiers.names_kind or not found or found[0].tier is Tier.OTHER:
        return found
    least = NEAR * found[0].score
    return [r for r in found if r.tier is not Tier.OTHER or r.score >= least]


def _divider(prepared: PreparedQuery, tier: Tier) -> str:
    """What comes after it, for the line between two tiers."""
    kind = prepared.tiers.kind
    asked = kind.asked if kind is not None else None
    if tier is Tier.NEAR:
        return Message("Near it: {kind}", kind=asked.wider) if asked and asked.wider else Message("Near it")
    rest = prepared.query.text
    for start, end in sorted(asked.spans if asked else (), reverse=True):
        rest = rest.replace(prepared.reading.sentence[start:end], " ")
    rest = " ".join(w for w in re.findall(r"[^\W_]+(?:[-'’][^\W_]+)*", rest) if w.casefold() not in LITTLE)
    return Message("Also “{words}”: other things", words=rest) if rest else Message("Other things near")


def _missing(query: Query, wish: Unmet) -> dict[str, Any]:
    """A wish that nothing meets, with the click that leads to the nearest there is."""
    text, kind = wish.instead.get("text"), wish.instead.get("kind")
    gone = next((f for f in query.filters if f not in wish.instead.get("filters", query.filters)), None)
    label = text or kind or (Message("Without “{words}”", words=str(gone)) if gone else "")
    click = {"text": text, "kind": kind, "column": gone.column if gone else "", "op": gone.op if gone else ""}
    return {"sentence": wish.sentence, "label": label, **click}


def _way(prepared: PreparedQuery, way: Relaxation) -> dict[str, Any]:
    """A condition that may be taken away, as a button."""
    shown = {"count": way.count}
    if isinstance(way.condition, Filter):
        meaning = Part("", 0, 0, "filter", (way.condition,)).meaning
        return {**shown, "meaning": meaning, "column": way.condition.column, "op": way.condition.op, "text": None}
    left = prepared.reading.without(way.condition)
    return {**shown, "meaning": way.condition.words, "column": "", "op": "", "text": left}


def _kinds(recommender: Recommender) -> list[str]:
    return list(recommender.index.facets.get("category", {}))[:MOST_KINDS]
