"""The colour that a name of one means, for a dot beside it."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from functools import cache

from mmdemo.ui import theme

MOST_UNKNOWN = 0.34  # share of the values of a column of colours that no table needs to know


def swatches(values: Iterable[str]) -> dict[str, str]:
    """Value of a column -> its colour as CSS has it; empty where the column is not one of colours.

    Parameters
    ----------
    values
        The values of one column of a catalogue, in whatever case.

    Examples
    --------
    >>> swatches(["Navy", "sage", "rot"])
    {'Navy': '#1f2d54', 'sage': '#9db48c', 'rot': '#c8323c'}
    >>> swatches(["orange", "apple", "pear"])
    {}
    """
    values = list(values)
    known = {value: colour for value in values if (colour := _colours().get(value.strip().casefold()))}
    return known if len(known) >= (1 - MOST_UNKNOWN) * len(values) else {}


@cache
def _colours() -> dict[str, str]:
    rows = csv.DictReader(theme.asset("colours.csv").splitlines())
    return {name: row["hex"] for row in rows for name in row["names"].split("|")}
