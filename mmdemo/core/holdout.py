"""The one split of products into train, validation and test, and an encoder's record of its own.

An encoder knows the products it was trained on too well for them to judge anything. So `align` writes the columns that
it split by into the encoder's folder, and whoever trains or measures with that encoder splits by the same columns.
Knows nothing of catalogues: a product is whatever has an `id` and a `field(name)`.
"""

import json
import os
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, Self

from mmdemo.core.errors import InputError
from mmdemo.core.paths import at_home

Split = Literal["train", "valid", "test"]
COLUMNS = ("parent", "group", "sender_id", "id")
RECORD = "holdout.json"  # its name in an encoder's folder


class Row(Protocol):
    """What a split reads of a product."""

    @property
    def id(self) -> str: ...

    def field(self, name: str) -> str | float | None: ...


@dataclass(frozen=True)
class Holdout:
    """A split by a hash of the first of `columns` that a product has a value in, its id where it has none.

    Products that share this value are never parted: variants, near-copies, photos by one sender.

    Parameters
    ----------
    columns : names of columns, the most telling first.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> Holdout().split_of(SimpleNamespace(id="mug", field=lambda name: None))
    'train'
    """

    columns: tuple[str, ...] = COLUMNS

    def split_of(self, product: Row) -> Split:
        """'test' (a tenth, never trained on), 'valid' (a tenth) or 'train'. Encoders are kept from both tenths."""
        value = next((str(v) for name in self.columns if (v := product.field(name))), product.id)
        tenth = zlib.crc32(value.encode()) % 10
        return "test" if tenth == 0 else "valid" if tenth == 5 else "train"

    def held_out(self, product: Row) -> bool:
        """Whether an encoder is not trained on this product: the fifth of validation and test."""
        return self.split_of(product) != "train"

    def applies_to(self, products: Iterable[Row]) -> bool:
        """Whether any product has a value in one of the columns: else this split parts by ids what it should not."""
        return any(product.field(name) for product in products for name in self.columns)


@dataclass(frozen=True)
class TrainingRecord:
    """What an encoder was trained on: the split of its last run, and the split of each catalogue by its digest."""

    holdout: Holdout = Holdout()
    catalogues: Mapping[str, Holdout] = field(default_factory=dict)

    @classmethod
    def read(cls, encoder: str | Path) -> Self:
        """The record in an encoder's folder; the default where there is none, or where the spec names no folder.

        Raises InputError for a file that is no such record.
        """
        path = at_home(str(encoder).removeprefix("local-dir:")) / RECORD
        if not path.is_file():
            return cls()
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            catalogues = {str(d): Holdout(tuple(map(str, c))) for d, c in content["catalogues"].items()}
            return cls(Holdout(tuple(map(str, content["columns"]))), catalogues)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                "'{path}' does not say how the encoder's training data was split: {reason}", path=path, reason=error
            ) from None

    def write(self, folder: Path) -> None:
        """Write the record into an encoder's folder."""
        content = {
            "columns": self.holdout.columns,
            "catalogues": {digest: split.columns for digest, split in self.catalogues.items()},
        }
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f".{RECORD}.part"
        part.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        os.replace(part, folder / RECORD)

    def of(self, digest: str) -> Holdout:
        """The split to use for a catalogue with this digest: its own where the encoder was trained on it."""
        return self.catalogues.get(digest, self.holdout)

    def continued(self, digests: Iterable[str], holdout: Holdout) -> "TrainingRecord":
        """The record of an encoder that goes on from this one on catalogues with these digests, split by `holdout`.

        Raises InputError where this one was trained on one of them with another split.
        """
        added = dict.fromkeys(digests, holdout)
        for digest in added:
            before = self.catalogues.get(digest, holdout)
            if before != holdout:
                raise InputError(
                    "the encoder to start from was trained on a catalogue split by {before}; split by {holdout}, "
                    "products that it knows would be called unseen; use the same --split-by, or start from another "
                    "encoder",
                    before=_listed(before),
                    holdout=_listed(holdout),
                )
        return TrainingRecord(holdout, {**self.catalogues, **added})

    def misfit(self, products: Iterable[Row], test: Iterable[str], digest: str = "") -> str:
        """Why products with the ids `test` must not be called unseen by this encoder; "" where they may be."""
        held, ids, holdout = list(products), set(test), self.of(digest)
        if not holdout.applies_to(held):
            return (
                f"not measured on unseen products: the encoder was trained with products split by {_listed(holdout)}, "
                "and this catalogue has no such column, so it may know any of them"
            )
        known = sum(not holdout.held_out(p) for p in held if p.id in ids)
        if not known:
            return ""
        return (
            f"not measured on unseen products: the encoder was trained with products split by {_listed(holdout)}, so "
            f"it may know {known} of the {len(ids)} test products; build the index again"
        )


def _listed(holdout: Holdout) -> str:
    return "/".join(holdout.columns)
