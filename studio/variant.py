"""One finish of a design."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Variant:
    """One finish of a parent: what a shopper can ask to change."""

    colour: str
    material: str
    pattern: str = "plain"
