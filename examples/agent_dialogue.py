"""A dialogue with the tools, as an agent would hold it: "find me something like this photo but in green, under 50".

Start the app with `python app.py --mcp`, then: python examples/agent_dialogue.py photo.jpg [http://127.0.0.1:7860]
What a language model would decide is written down here; every call and every answer is real.
"""

import asyncio
import sys
from pathlib import Path

import httpx
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult

PHOTO = Path(sys.argv[1])
SERVER = sys.argv[2] if len(sys.argv) > 2 else "http://127.0.0.1:7860"


def tell(results: list[dict]) -> None:
    """One line a result, with its price where the catalogue has prices."""
    for one in results:
        price = "" if one["price"] is None else f", {one['price']:g} {one['currency']}"
        print(f"         {one['rank']}. {one['title']}{price}")


async def main() -> None:
    async with streamable_http_client(f"{SERVER}/gradio_api/mcp/") as (read, write, _):
        async with ClientSession(read, write) as session:
            await session.initialize()

            async def call(tool: str, **given: object) -> CallToolResult:
                shown = ", ".join(f"{name}={str(value)[:40]!r}" for name, value in given.items())
                print(f"  -> {tool}({shown})")
                answer = await session.call_tool(tool, given)
                if answer.isError:
                    sys.exit(f"  <- {answer.content[0].text}")
                pictures = sum(part.type == "image" for part in answer.content)
                print(f"  <- {pictures} pictures" if pictures else "  <- data")
                return answer

            print(f"User:  [{PHOTO.name}] Find me something like this photo but in green, under 50.")
            shop = (await call("catalog")).structuredContent
            uploaded = httpx.post(f"{SERVER}/gradio_api/upload", files={"files": PHOTO.read_bytes()}).json()[0]
            found = (await call("recommend", image=uploaded, text="in green, under 50", k=3)).structuredContent
            understood = ", ".join(part["meaning"] for part in found["query"]["read"]["understood"])
            if not found["results"] or not found["results"][0]["close"]:
                print("Agent: Nothing here really matches; these are the nearest.")
            print(f"Agent: Among {shop['count']} {shop['noun'][1]} I looked for: {understood or 'what this says'}.")
            tell(found["results"])

            print("User:  Why the first one?")
            first = found["results"][0]["id"]
            why = (await call("explain", id=first, image=uploaded, text="in green, under 50")).structuredContent
            print(f"Agent: It is number {why['rank']}. {why['reason']}")

            print("User:  I like it. More of that kind?")
            more = (await call("similar", id=first, k=3)).structuredContent
            tell(more["results"])


asyncio.run(main())
