"""The same functions for agents, by the Model Context Protocol: what they do in words, and pictures they can show.

Tools run in this process, not by a call from it to itself, so the gate counts and asks whoever calls them.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable
from typing import Annotated, Any

import anyio
from mcp.server.fastmcp import FastMCP
from mcp.server.fastmcp.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from mcp.types import CallToolResult, ContentBlock, ImageContent, TextContent, ToolAnnotations
from pydantic import Field, ValidationError
from starlette.routing import Route

from mmdemo.errors import InputError
from mmdemo.live import one_version
from mmdemo.recommender import Recommender
from mmdemo.ui import cards
from mmdemo.ui.api import AT_ONCE, Endpoint

ADDRESS = "/gradio_api/mcp"  # where clients of Gradio's apps look for it
SHOWN = 12  # pictures that one answer may carry
LARGEST = 21 << 20  # bytes of a call, as for an upload
log = logging.getLogger(__name__)

GUIDE = """Search a catalogue of {count:,} {nouns} ("{name}") by a picture, by words, or by both together.
Call `catalog` first: it says what there is and which filters exist. Call `recommend` to search. To change something
about a picture or about one of the {nouns} ("this, but in green, under 50"), give the picture or the id as `image` and
only the change as `text`. Use the ids of the results in the other tools. Never make up an id. Each score splits into
what the picture, the words and both together brought, and `match` is the chance that a result is right; where `close`
is false, tell the user that nothing in the catalogue really matches.{notice}"""

Id = Annotated[str, Field(description="The id, exactly as an earlier answer gave it.")]
Image = Annotated[
    str,
    Field(
        description="A picture of what is wanted: the id of something in the catalogue, a data URL "
        "(data:image/jpeg;base64,...), or the path that POST /gradio_api/upload returned. Web addresses are refused. "
        "Empty: no picture."
    ),
]
Words = Annotated[
    str,
    Field(
        description='What is wanted, or with a picture what should differ, in plain English or Chinese: "a mug under '
        '20, not glass", "the same in dark blue". Prices and exclusions in it are understood. Empty: no words.'
    ),
]
Count = Annotated[int, Field(description="How many results.", ge=1, le=100)]
Weight = Annotated[
    float, Field(description="With a picture and words: 1 is only the picture, 0 only the words.", ge=0, le=1)
]
Filters = Annotated[
    list[str],
    Field(
        description='Conditions that all must hold, on the columns that `catalog` lists: "price<50", "colour=green", '
        '"category=Mug|Bowl" (either), "material!=glass".'
    ),
]
Ids = Annotated[list[str], Field(description="Ids, exactly as earlier answers gave them.")]
Variety = Annotated[float, Field(description="0: the nearest; towards 1: less like each other.", ge=0, le=1)]
Fold = Annotated[bool, Field(description="Show variants of one thing as one result.")]
Pictures = Annotated[int, Field(description="How many results come with their picture.", ge=0, le=SHOWN)]


def serve(recommender: Recommender, functions: dict[str, Endpoint]) -> tuple[list[Route], Callable[[Any], Any]]:
    """The routes that answer agents, and the context in which they do so while the page is served."""
    server = _server(recommender, functions)
    endpoint = server.streamable_http_app().routes[0].endpoint  # type: ignore[attr-defined]
    routes = [Route(address, endpoint) for address in (ADDRESS, f"{ADDRESS}/")]
    return routes, lambda app: server.session_manager.run()


class _Server(FastMCP):
    async def call_tool(self, name: str, arguments: dict[str, Any]) -> Any:
        """As it is, but an argument at fault is one sentence that says which."""
        try:
            return await super().call_tool(name, arguments)
        except ToolError as error:
            if not isinstance(error.__cause__, ValidationError):
                raise
            faults = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.__cause__.errors()]
            raise ToolError("; ".join(faults)) from None


def _server(recommender: Recommender, functions: dict[str, Endpoint]) -> FastMCP:
    manifest = recommender.index.manifest
    nouns, notice = cards.noun(manifest), str(manifest.get("notice") or "")
    server = _Server(
        "mmdemo",
        instructions=GUIDE.format(
            count=len(recommender.index), nouns=nouns, name=cards.catalogue_name(manifest),
            notice=f"\nTell the user: {notice}" if notice else "",
        ),
        stateless_http=True,  # nothing is remembered between calls, so a restart disturbs nobody
        json_response=True,
        streamable_http_path=ADDRESS,
        max_request_body_size=LARGEST,
        log_level="WARNING",
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),  # the gate's task
    )  # fmt: skip
    limit = anyio.CapacityLimiter(AT_ONCE)

    async def ask(name: str, pictures: int = 0, **given: Any) -> CallToolResult:
        def work() -> CallToolResult:
            with one_version(recommender):
                answer = functions[name](**given)
                return _result(recommender, answer, pictures)

        try:
            return await anyio.to_thread.run_sync(work, limiter=limit)
        except InputError as error:
            return CallToolResult(content=[TextContent(type="text", text=str(error))], isError=True)
        except Exception:
            log.exception("a tool failed")
            raise ToolError("something went wrong here, and it was not the question") from None

    async def catalog() -> CallToolResult:
        return await ask("catalog")

    async def recommend(
        image: Image = "", text: Words = "", k: Count = 6, weight: Weight = 0.5, filters: Filters = [],  # noqa: B006
        like: Ids = [], unlike: Ids = [], diversity: Variety = 0.0, fold: Fold = True, pictures: Pictures = 4,  # noqa: B006
    ) -> CallToolResult:  # fmt: skip
        return await ask(
            "recommend", pictures, image=image, text=text, k=k, weight=weight, filters=filters, like=like,
            unlike=unlike, diversity=diversity, fold=fold,
        )  # fmt: skip

    async def similar(id: Id, k: Count = 6, pictures: Pictures = 4) -> CallToolResult:
        return await ask("similar", pictures, id=id, k=k)

    async def product(id: Id) -> CallToolResult:
        return await ask("product", 1, id=id)

    async def explain(
        id: Id, image: Image = "", text: Words = "", weight: Weight = 0.5, filters: Filters = [], fold: Fold = True  # noqa: B006
    ) -> CallToolResult:  # fmt: skip
        return await ask("explain", id=id, image=image, text=text, weight=weight, filters=filters, fold=fold)

    async def feedback(
        likes: Ids = [], dislikes: Ids = [], image: Image = "", text: Words = "", k: Count = 6, filters: Filters = [],  # noqa: B006
        fold: Fold = True, pictures: Pictures = 4,
    ) -> CallToolResult:  # fmt: skip
        return await ask(
            "feedback", pictures, likes=likes, dislikes=dislikes, image=image, text=text, k=k, filters=filters,
            fold=fold,
        )  # fmt: skip

    for fn, title, said in (
        (catalog, "What is in the catalogue", "Say what the catalogue holds: how many rows, the columns that filters "
         "can name, their values with counts, and the range of prices. Call this before you search."),
        (recommend, "Search by picture and words", "Search the catalogue by a picture, by words, or by a picture and "
         "what should differ from it. The best results come first, each with id, title, price, a score from -1 to 1, "
         "the chance that it matches, and the reason; the first few with their pictures."),
        (similar, "More like this one", "Find what is most like one thing of the catalogue, its own category first."),
        (product, "Everything about one", "Read one row of the catalogue: description, price, properties, picture."),
        (explain, "Why this result", "Say why one result answers a query, or why it does not: its rank, the parts of "
         "its score, what each word did, and the smallest change of the query that would move it. Give the same query "
         "as to `recommend`. Takes some seconds."),
        (feedback, "Recommend by taste", "Recommend with a taste: what the user liked and disliked so far moves the "
         "answer. Nothing is remembered, so send all likes and dislikes each time, oldest first."),
    ):  # fmt: skip
        hints = ToolAnnotations(readOnlyHint=True, destructiveHint=False, idempotentHint=True, openWorldHint=False)
        server.add_tool(fn, description=said, title=title, annotations=hints, structured_output=False)
    return server


def _result(recommender: Recommender, answer: dict[str, Any], pictures: int) -> CallToolResult:
    """The answer as JSON, twice: as text and as data; then the pictures, each after its number, id and title."""
    content: list[ContentBlock] = [TextContent(type="text", text=json.dumps(answer, ensure_ascii=False))]
    rows = answer.get("results", [answer] if pictures else [])
    for number, found in enumerate(rows[:pictures], 1):
        thumbnail = recommender.index.thumbnail(found["id"])
        if thumbnail is not None:
            content.append(TextContent(type="text", text=f"{number}. {found['id']}: {found['title']}"))
            data = base64.b64encode(thumbnail.read_bytes()).decode()
            content.append(ImageContent(type="image", data=data, mimeType="image/webp"))
    return CallToolResult(content=content, structuredContent=answer)
