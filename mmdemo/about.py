"""What a catalogue says of itself in `catalog.json`: what its rows are called, and a notice that goes with them."""

import json
from dataclasses import dataclass
from pathlib import Path

from mmdemo.errors import InputError
from mmdemo.say import later

FILE = "catalog.json"
LONGEST = {"noun": 40, "notice": 200}  # characters
LARGEST = 100_000  # bytes of the file


@dataclass(frozen=True)
class About:
    """`noun` is what one row and several rows are called; `notice` is shown wherever they are."""

    noun: tuple[str, str] = (later("product"), later("products"))
    notice: str = ""


def read_about(folder: Path) -> About:
    """The folder's `catalog.json`, or the defaults where there is none. Raises InputError for one that is not as said
    in docs/catalogue-format.md."""
    path = folder / FILE
    if not path.is_file():
        return About()
    wrong = f'\'{FILE}\' must look like {{"noun": ["post", "posts"], "notice": "Words shown with them."}}'
    try:
        if path.stat().st_size > LARGEST or not path.resolve().is_relative_to(folder.resolve()):
            raise ValueError
        said = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        raise InputError(f"{wrong}, and it is not such a file") from None
    if not isinstance(said, dict) or not {"noun", "notice"} & said.keys():
        return About()  # somebody else's file of the same name
    noun, notice = said.get("noun", list(About.noun)), said.get("notice", "")
    if not isinstance(noun, list) or len(noun) != 2 or not all(_fits(word, "noun") and word.strip() for word in noun):
        raise InputError(f"{wrong}; the noun it has is not two short words, one for one row and one for several")
    if not _fits(notice, "notice"):
        raise InputError(f"{wrong}; the notice it has is not a sentence of at most {LONGEST['notice']} characters")
    return About((noun[0].strip(), noun[1].strip()), notice.strip())


def _fits(word: object, what: str) -> bool:
    return isinstance(word, str) and len(word) <= LONGEST[what] and (word.isprintable())
