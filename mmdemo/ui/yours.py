"""The tab "Your catalogue": files are dropped, what was understood is shown, an index is built and opened.

Knows how it looks; `mmdemo.drafts` keeps the files and runs the build.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import gradio as gr
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mmdemo import jobs
from mmdemo.drafts import LARGEST, Drafts, Taken
from mmdemo.errors import InputError
from mmdemo.index import live_version
from mmdemo.report import GIVEN, measured
from mmdemo.say import again, later, say
from mmdemo.ui import cards, theme
from mmdemo.ui.gate import Refused

SHOWN = 50  # refusals in the table; the file has all
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # with which a spreadsheet's formula begins
ACTS = ("look", "read", "build", "cancel", "resume", "discard")
EXAMPLE = (  # of a table
    ("id", "image", "title", "category", "price", "currency", "colour"),
    ("hat-1", "images/hat.jpg", later("Red wool hat"), later("Hats"), "25.00", "EUR", later("red")),
    ("scarf-1", "images/scarf.png", later("Blue striped scarf"), later("Scarves"), "39.00", "EUR", later("blue")),
    ("gift-50", "", later("Gift card"), later("Gifts"), "50.00", "EUR", ""),
)
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": 4}


class Yours:
    """The tab's component; `link` gives the way from this page to another catalogue."""

    def __init__(self, drafts: Drafts, link: Callable[[str], str]) -> None:
        self._drafts, self._link = drafts, link
        self.box = gr.HTML(
            self.page(""), js_on_load=theme.asset("yours.js"), apply_default_css=False, elem_id="mm-yours"
        )

    def listen(self, header: gr.HTML, draw: Callable[[], str]) -> None:
        """Wire the tab; `draw` makes the header again, since a catalogue may have come."""
        for act in ACTS:

            def acted(event: gr.EventData, act: str = act) -> tuple[str, str]:
                said = {name: str(value) for name, value in event._data.items()}
                return self.act(act, said), draw()

            getattr(self.box, act)(acted, None, [self.box, header], **QUIET)

    def act(self, act: str, said: dict[str, str]) -> str:
        """The tab after what a visitor did: `said` has the draft and, for a build, the name and whether to replace."""
        draft, name, replace = said.get("draft", ""), said.get("name", ""), said.get("replace") == "yes"
        page = partial(self.page, draft, question=said.get("question", "")[:20])
        try:
            if act == "read":
                self._drafts.check(draft)
            elif act == "build":
                self._drafts.start(draft, name, replace)
            elif act == "cancel":
                self._drafts.cancel(draft)
            elif act == "resume":
                self._drafts.resume(draft)
            elif act == "discard":
                self._drafts.discard(draft)
        except Taken as taken:
            return page(name=name, taken=str(taken))
        except InputError as error:
            return page(name=name, error=str(error))
        return page(error=said.get("fault", "")[:300])  # what went wrong while it was sent

    def page(self, draft: str, name: str = "", error: str = "", taken: str = "", question: str = "") -> str:
        """The tab for a visitor with this draft as HTML, which says what question it answers."""
        builds = self._drafts.builds()
        running = next((build for build in builds if build.running), None)
        mine = running is not None and running.draft == draft
        done = "" if mine else self._drafts.finished(draft)
        known = {} if mine or done or any(b.draft == draft for b in builds) else self._drafts.understood(draft)
        return cards.render(
            "yours",
            error=error,
            taken=taken,
            mine=running if mine else None,
            other=None if mine else running,
            stopped=[build for build in builds if not build.running],
            stages=jobs.STAGES,
            done=self._report(done) if done else None,
            known={**known, **_notes(known)} if known else None,
            name=name or known.get("name", ""),
            draft=draft,
            largest=LARGEST >> 20,
            most=jobs.MOST_PRODUCTS,
            shown=SHOWN,
            example=EXAMPLE,
            question=question,  # they come by several threads, so a later one may be answered first
        )

    def _report(self, name: str) -> dict[str, Any] | None:
        """What the page says of an index that has become whole."""
        version = live_version(self._drafts.folder / name)
        if version is None:
            return None
        manifest, report = (json.loads((version / f"{of}.json").read_text("utf-8")) for of in ("manifest", "report"))
        tasks = [
            {"name": say(GIVEN.get(task, task)), "queries": table["queries"],
             "found": [None if not of else round(100 * of["recall@10"]["value"])
                       for of in (table["rankers"][r] for r in ("head", "image", "text", "mean"))]}
            for task, table in measured(report).items()
        ]  # fmt: skip
        return {"name": name, "count": manifest["count"], "refused": len(report["refused"]), "tasks": tasks,
                "note": again(report["fit"]["note"]), "link": self._link(name)}  # fmt: skip


def routes(drafts: Drafts) -> list[Route]:
    """Where the files of a draft arrive, how far its build is, and its refusals as a file."""

    async def file(request: Request) -> Response:
        draft, name = request.path_params["draft"], request.path_params["name"]
        try:
            await drafts.receive(draft, name, request.stream())
        except InputError as error:
            return JSONResponse({"detail": str(error)}, 400)
        except Refused as no:  # by the gate, while it was read
            return JSONResponse({"detail": no.sentence}, no.status, headers=no.headers)
        return JSONResponse({})

    def progress(request: Request) -> Response:
        draft = request.query_params.get("draft", "")
        running = next((build for build in drafts.builds() if build.running), None)
        if running is None:
            return JSONResponse({"running": False})
        said = {"stage": running.stage, "done": running.done, "total": running.total}
        return JSONResponse({"running": True, "mine": running.draft == draft, **said})

    def refused(request: Request) -> Response:
        of = request.path_params["of"]
        known = drafts.understood(of)
        version = None if known or "/" in of or of.startswith(".") else live_version(drafts.folder / of)
        if known:
            rows = [(*row, kind) for kind in ("refused", "noted") for row in known[kind]]
        elif version is not None:
            found = json.loads((version / "report.json").read_text("utf-8"))["refused"]
            rows = [(r["row"], r["id"], r["column"], r["reason"], "refused") for r in found]
        else:
            return Response(say("There is no such catalogue."), 404, media_type="text/plain")
        kept = {"Content-Disposition": 'attachment; filename="refused.csv"', "Cache-Control": "no-store"}
        return Response(as_csv(rows), media_type="text/csv; charset=utf-8", headers=kept)

    return [
        Route("/yours/file/{draft}/{name:path}", file, methods=["POST"]),
        Route("/yours/progress", progress),
        Route("/yours/refused/{of}", refused),
    ]


def as_csv(rows: Iterable[Iterable[object]]) -> str:
    """Refusals as a CSV file that a spreadsheet opens and takes no cell of for a formula."""
    file = io.StringIO()
    table = csv.writer(file)
    table.writerow(("line", "id", "column", "reason", "kind"))
    for row in rows:
        cells = [str(cell) for cell in row]
        table.writerow([f"'{cell}" if cell.startswith(FORMULA) else cell for cell in cells])
    return "\ufeff" + file.getvalue()


def _notes(known: dict[str, Any]) -> dict[str, Any]:
    """The rows of the preview and the prices as they are shown."""
    prices, currencies = known.get("prices"), known.get("currencies", [])
    currency = currencies[0] if len(currencies) == 1 else ""
    rows = [{**row, "price": cards.money(row["price"], row["currency"])} for row in known.get("rows", [])]
    span = ""
    if prices:
        ends = dict.fromkeys(cards.money(prices[end], currency) for end in ("low", "high"))
        span = " – ".join(ends)
    return {"rows": rows, "span": span}
