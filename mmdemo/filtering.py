"""Which products pass a condition of a query."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mmdemo.errors import InputError
from mmdemo.product import Product
from mmdemo.query import Filter


def passing(f: Filter, products: Sequence[Product], columns: Sequence[str]) -> NDArray[np.bool_]:
    """Which of the products (n,) pass; raises InputError naming the `columns` for one that is none of them."""
    if f.op in ("~", "!~"):
        says = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(map(re.escape, sorted(f.choices)))})(?![A-Za-z0-9])", re.I)
        said = np.array([says.search(p.text if f.column == "text" else str(p.field(f.column) or "")) is not None
                         for p in products])  # fmt: skip
        return said if f.op == "~" else ~said
    name = next((c for c in columns if c.casefold() == f.column.casefold()), None)
    if name is None:
        raise InputError(f"no column '{f.column}' to filter by; there are: {', '.join(columns)}")
    if f.op in ("=", "!="):
        equal = np.array([any(v.casefold() in f.choices for v in p.values(name)) for p in products])
        return equal if f.op == "=" else ~equal
    numbers = np.array([_number(p.field(name)) for p in products])
    compare = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}[f.op]
    with np.errstate(invalid="ignore"):
        return compare(numbers, f.number) & np.isfinite(numbers)


def _number(v: object) -> float:
    try:
        return float(v)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return float("nan")
