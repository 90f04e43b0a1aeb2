"""Reads a catalogue's `catalog.json`: what its rows are called, a notice shown with them, how its pictures were made.

It knows nothing of the rows themselves.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from mmdemo.core.errors import InputError
from mmdemo.core.messages import N_, Message

FILE = "catalog.json"
LONGEST = {"noun": 40, "notice": 200, "title": 40}  # characters
LARGEST = 100_000  # bytes of the file


@dataclass(frozen=True)
class About:
    """What a catalogue says of itself: `noun` is what one row and several rows are called, `notice` is shown wherever
    they are, `title` is its name on a page. `rendered` says that all pictures, those of its queries too, were drawn by
    a computer, so that none is called a photo of somebody's."""

    noun: tuple[str, str] = (N_("product"), N_("products"))
    notice: str = ""
    rendered: bool = False
    title: str = ""


def read_about(folder: Path) -> About:
    """The folder's `catalog.json`, or the defaults where there is none.

    Raises InputError for a file that is not in the form that docs/catalogue-format.md describes.
    """
    path = folder / FILE
    if not path.is_file():
        return About()
    example = '{"noun": ["post", "posts"], "notice": "Words shown with them."}'
    wrong = Message("'{file}' must look like {example}", file=FILE, example=example)
    try:
        if path.stat().st_size > LARGEST or not path.resolve().is_relative_to(folder.resolve()):
            raise ValueError
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        raise InputError("{wrong}, and it is not such a file", wrong=wrong) from None
    if not isinstance(content, dict) or not {"noun", "notice", "rendered", "title"} & content.keys():
        return About()  # another program's file of the same name
    noun, notice = content.get("noun", list(About.noun)), content.get("notice", "")
    if not isinstance(noun, list) or len(noun) != 2 or not all(_fits(word, "noun") and word.strip() for word in noun):
        raise InputError(
            "{wrong}; the noun it has is not two short words, one for one row and one for several", wrong=wrong
        )
    if not _fits(notice, "notice"):
        raise InputError(
            "{wrong}; the notice it has is not a sentence of at most {longest} characters",
            wrong=wrong,
            longest=LONGEST["notice"],
        )
    rendered = content.get("rendered", False)
    if not isinstance(rendered, bool):
        raise InputError("{wrong}; whether its pictures are rendered is neither true nor false", wrong=wrong)
    title = content.get("title", "")
    if not _fits(title, "title"):
        raise InputError(
            "{wrong}; the title it has is no name of at most {longest} characters",
            wrong=wrong,
            longest=LONGEST["title"],
        )
    return About((noun[0].strip(), noun[1].strip()), notice.strip(), rendered, title.strip())


def _fits(word: object, what: str) -> bool:
    return isinstance(word, str) and len(word) <= LONGEST[what] and (word.isprintable())
