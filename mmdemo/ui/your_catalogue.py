"""The tab "Your catalogue": files are dropped, what was understood is shown, an index is built and opened.

Knows how it looks; `mmdemo.serve.drafts` keeps the files and runs the build.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import gradio as gr
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mmdemo.catalog.column_guess import ASKED
from mmdemo.core.errors import InputError
from mmdemo.core.messages import N_, Message, from_json
from mmdemo.core.money import format_price
from mmdemo.core.spreadsheet import write_csv
from mmdemo.evaluate.report import RANKERS, Report
from mmdemo.evaluate.report_page import TASK_NAMES
from mmdemo.index.product_index import live_version
from mmdemo.serve import jobs
from mmdemo.serve.drafts import LARGEST, MOST_FILES, Drafts, Taken
from mmdemo.serve.gate import Refused
from mmdemo.serve.translation import translate
from mmdemo.ui import cards, theme

SHOWN = 50  # refusals in the table; the file has all
ACTS = ("look", "read", "choose", "build", "cancel", "resume", "discard")
EXAMPLE = (  # of a table
    ("id", "image", "title", "category", "price", "currency", "colour"),
    ("hat-1", "images/hat.jpg", N_("Red wool hat"), N_("Hats"), "25.00", "EUR", N_("red")),
    ("scarf-1", "images/scarf.png", N_("Blue striped scarf"), N_("Scarves"), "39.00", "EUR", N_("blue")),
    ("gift-50", "", N_("Gift card"), N_("Gifts"), "50.00", "EUR", ""),
)
COOKIE = "mmdemo-yours"  # the drafts of a browser, by which it is shown the catalogues that were built of them
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": 4}


class YourCatalogueTab:
    """The tab's component; `link` gives the way from this page to another catalogue."""

    def __init__(self, drafts: Drafts, link: Callable[[str], str]) -> None:
        self._drafts, self._link = drafts, link
        self.box = gr.HTML(
            self.page(""), js_on_load=theme.asset("yours.js"), apply_default_css=False, elem_id="mm-yours"
        )

    def listen(self, header: gr.HTML, draw: Callable[[gr.Request], str]) -> None:
        """Wire the tab; `draw` makes the header again, since a catalogue may have come."""
        for act in ACTS:

            def acted(event: gr.EventData, request: gr.Request, act: str = act) -> tuple[str, str]:
                said = {name: str(value) for name, value in event._data.items()}
                own = str(request.cookies.get(COOKIE, "")).split(".")
                return self.act(act, said, own), draw(request)

            getattr(self.box, act)(acted, None, [self.box, header], **QUIET)

    def act(self, act: str, said: dict[str, str], own: Iterable[str] = ()) -> str:
        """The tab after what a visitor did: `said` has the draft and, for a build, the name and what becomes of an
        index that has it already ("taken": "replace" or "update"); `own` are the drafts of this browser."""
        draft, name, taken_by = said.get("draft", ""), said.get("name", ""), said.get("taken")
        page = partial(self.page, draft, question=said.get("question", "")[:20])
        try:
            if act == "read":
                self._drafts.check(draft, own)
            elif act == "choose":
                self._drafts.choose(draft, {column: said[column] for column in ASKED if column in said})
            elif act == "build":
                self._drafts.start(draft, name, replace=taken_by == "replace", update=taken_by == "update")
            elif act == "cancel":
                self._drafts.cancel(draft)
            elif act == "resume":
                self._drafts.resume(draft)
            elif act == "discard":
                self._drafts.discard(draft)
        except Taken as taken:
            return page(name=name, taken=translate(taken))
        except InputError as error:
            return page(name=name, error=translate(error))
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
            changes=self._drafts.changes(draft),
            columns={"fault": "", **known} if "question" in known else None,
            asked=ASKED,
            known={**known, **_notes(known)} if "products" in known else None,
            name=name or known.get("name", ""),
            draft=draft,
            largest=LARGEST >> 20,
            most=jobs.MOST_PRODUCTS,
            most_files=MOST_FILES,
            shown=SHOWN,
            example=EXAMPLE,
            question=question,  # they come by several threads, so a later one may be answered first
        )

    def _report(self, name: str) -> dict[str, Any] | None:
        """What the page says of an index that has become whole."""
        version = live_version(self._drafts.folder / name)
        if version is None:
            return None
        manifest, report_json = (
            from_json(json.loads((version / f"{of}.json").read_text("utf-8"))) for of in ("manifest", "report")
        )
        report = Report.read(report_json)
        tasks = [
            {
                "name": translate(TASK_NAMES.get(task, task)),
                "queries": figures.queries,
                "found": [
                    round(100 * metrics["recall@10"].value) if metrics else None
                    for metrics in (figures.rankers[ranker] for ranker in RANKERS)
                ],
            }
            for task, figures in report.measured.items()
        ]
        return {
            "name": name,
            "count": manifest["count"],
            "refused": len(report.refused),
            "tasks": tasks,
            "note": translate(report.fit.note),
            "link": self._link(name),
        }


def routes(drafts: Drafts) -> list[Route]:
    """Where the files of a draft arrive, how far its build is, and its refusals as a file."""

    async def file(request: Request) -> Response:
        draft, name = request.path_params["draft"], request.path_params["name"]
        try:
            await drafts.receive(draft, name, request.stream())
        except InputError as error:
            return JSONResponse({"detail": translate(error)}, 400)
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
        if "refused" in known:
            rows = [(*row, kind) for kind in ("refused", "noted") for row in known[kind]]
        elif version is not None:
            report = Report.read(from_json(json.loads((version / "report.json").read_text("utf-8"))))
            rows = [(r.row, r.id, r.column, r.reason, "refused") for r in report.refused]
        else:
            return Response(translate("There is no such catalogue."), 404, media_type="text/plain")
        kept = {"Content-Disposition": 'attachment; filename="refused.csv"', "Cache-Control": "no-store"}
        return Response(as_csv(rows), media_type="text/csv; charset=utf-8", headers=kept)

    return [
        Route("/yours/file/{draft}/{name:path}", file, methods=["POST"]),
        Route("/yours/progress", progress),
        Route("/yours/refused/{of}", refused),
    ]


def as_csv(rows: Iterable[Iterable[object]]) -> str:
    """Refusals as a CSV file for a spreadsheet."""
    file = io.StringIO()
    write_csv(file, [("line", "id", "column", "reason", "kind")])
    write_csv(file, ([translate(cell) if isinstance(cell, Message) else cell for cell in row] for row in rows))
    return "\ufeff" + file.getvalue()


def _notes(known: dict[str, Any]) -> dict[str, Any]:
    """The rows of the preview and the prices as they are shown."""
    prices, currencies = known.get("prices"), known.get("currencies", [])
    currency = currencies[0] if len(currencies) == 1 else ""
    rows = [{**row, "price": format_price(row["price"], row["currency"])} for row in known.get("rows", [])]
    span = ""
    if prices:
        ends = dict.fromkeys(format_price(prices[end], currency) for end in ("low", "high"))
        span = " – ".join(ends)
    return {"rows": rows, "span": span}
