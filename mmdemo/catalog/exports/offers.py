"""Shared by the readers of exports: what a product costs today and whether it is in stock.

The lower price that is valid today is the price, the other is kept as `regular_price`. It knows nothing of tables.
"""

import re
from datetime import date

from mmdemo.core.errors import InputError
from mmdemo.core.money import parse_price

SALE_COLUMNS = ("sale_price", "sale_starts", "sale_ends")  # what a reader adds to a record beside price
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_AMERICAN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})\b")  # as Magento writes dates
_OUT = frozenset("0 no n false out outofstock oos soldout discontinued unavailable nein non agotado esaurito".split())
_IN = frozenset("1 yes y true in instock available limitedavailability availablefororder ja oui si".split())


def with_price_of(record: dict[str, str], today: date) -> dict[str, str]:
    """The record with one price: the sale price in place of the regular one where it is lower and valid today.

    >>> with_price_of({"price": "20", "sale_price": "15", "sale_ends": "2026-01-31"}, date(2026, 1, 2))
    {'price': '15', 'regular_price': '20'}
    >>> with_price_of({"price": "20", "sale_price": "15", "sale_ends": "2026-01-31"}, date(2026, 2, 2))
    {'price': '20'}
    """
    kept = {name: cell for name, cell in record.items() if name not in SALE_COLUMNS}
    price, sale = _amount(kept.get("price", "")), _amount(record.get("sale_price", ""))
    if sale is not None and _in_force(record.get("sale_starts", ""), record.get("sale_ends", ""), today):
        if price is None:
            kept["price"] = record["sale_price"]
        elif sale < price:
            kept |= {"price": record["sale_price"], "regular_price": kept["price"]}
    price, regular = _amount(kept.get("price", "")), _amount(kept.get("regular_price", ""))
    if price is None or regular is None or regular <= price:
        kept.pop("regular_price", None)
    return kept


def availability(cell: str) -> str:
    """ "in stock" or "out of stock" where a cell says so, else the cell itself.

    >>> availability("InStock"), availability("0"), availability("pre-order"), availability("")
    ('in stock', 'out of stock', 'pre-order', '')
    """
    plain = re.sub(r"[\s_\-]+", "", cell.casefold())
    if plain in _OUT:
        return "out of stock"
    return "in stock" if plain in _IN else cell


def stocked(quantity: str) -> str:
    """ "in stock" or "out of stock" by a number of pieces, "" for what is no number."""
    try:
        return "in stock" if float(quantity) > 0 else "out of stock"
    except ValueError:
        return ""


def _amount(cell: str) -> float | None:
    try:
        return parse_price(cell)[0]
    except InputError:
        return None


def _in_force(starts: str, ends: str, today: date) -> bool:
    """Whether a period without end, or with ends that cannot be read, or this one, holds today."""
    first, last = _date(starts), _date(ends)
    return (first is None or first <= today) and (last is None or today <= last)


def _date(cell: str) -> date | None:
    try:
        if matched := _ISO.search(cell):
            return date(int(matched[1]), int(matched[2]), int(matched[3]))
        if matched := _AMERICAN.search(cell):
            year = int(matched[3])
            return date(year + 2000 if year < 100 else year, int(matched[1]), int(matched[2]))
    except ValueError:  # a 31st of February
        return None
    return None
