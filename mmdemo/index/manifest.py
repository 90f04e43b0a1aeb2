"""What an index says of itself in `manifest.json`: what made it, and the SHA-256 of every other file.

It is written last, so a version without one was cut short. Knows nothing of what the files hold.
"""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, FiniteFloat

from mmdemo.core.messages import Words
from mmdemo.index.versions import live_version

FORMAT = 6
READABLE = (5, 6)  # 5 had no gzip, no half precision, and always a file of vectors


class EncoderRecord(BaseModel):
    """Which encoder made the embeddings: an index is opened only with the same weights."""

    model_config = ConfigDict(frozen=True)

    spec: str
    name: str
    weights_sha256: str
    preprocess: str


class Manifest(BaseModel):
    """The typed content of `manifest.json`; the fields from `format` on are set by each save."""

    model_config = ConfigDict(frozen=True)

    name: str
    encoder: EncoderRecord
    catalogue_sha256: str = ""
    noun: tuple[str, str] = ("product", "products")  # what one row and several rows are called
    notice: str = ""
    title: str = ""  # what the catalogue is called on its page, "" for its name
    rendered: bool = False  # whether all pictures were drawn by a computer, those of the queries too
    words: dict[str, Words] = {}  # language -> column -> the catalogue's value -> its translation
    columns: dict[str, str] = {}  # which column of its table a person said is which: our name -> heading, "" for none
    calibration: dict[str, tuple[FiniteFloat, FiniteFloat, FiniteFloat, FiniteFloat]]
    floors: dict[str, FiniteFloat]
    # Slopes and constant of the chance of a kind that words without a known noun ask for; None in older indexes.
    word_curve: tuple[FiniteFloat, FiniteFloat, FiniteFloat, FiniteFloat] | None = None
    name_weight: FiniteFloat = 0.0  # of what a product is called, where a query names something; 0 in older indexes
    held_out: list[str]  # ids of the products that no training saw

    format: int = FORMAT
    version: str = ""
    count: int = 0
    dim: int = 0
    metric: str = "cosine"
    head: str = ""
    store: dict[str, Any] = {}  # what the store says of itself; before a save, where the vectors are to go
    files: dict[str, str] = {}  # relative path -> hex SHA-256

    def updated(self, **fields: Any) -> "Manifest":
        """The same manifest with other values of these fields."""
        return self.model_copy(update=fields)


def said_of_columns(index: Path) -> dict[str, str]:
    """What a person said of the columns of the table that became an index, {} where nothing was said or nothing is."""
    version = live_version(index)
    if version is None:
        return {}
    try:
        return dict(json.loads((version / "manifest.json").read_text(encoding="utf-8")).get("columns", {}))
    except (OSError, ValueError, AttributeError):  # a damaged index is told of by whoever opens it
        return {}
