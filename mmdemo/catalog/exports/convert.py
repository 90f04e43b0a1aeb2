"""Recognises which shop system exported a table and has its reader bring it into our form; readers are listed here."""

from collections.abc import Sequence
from datetime import date
from types import ModuleType

from mmdemo.catalog.exports import (
    amazon,
    bigcommerce,
    etsy,
    feed,
    kaggle_styles,
    magento,
    prestashop,
    shopify,
    shopware,
    squarespace,
    woocommerce,
)
from mmdemo.catalog.exports.rows import table_of
from mmdemo.catalog.headings import heading
from mmdemo.catalog.table import Table

# The most particular headings first: a feed's are the most general.
READERS: Sequence[ModuleType] = (
    *(shopify, squarespace, bigcommerce, magento, amazon, kaggle_styles),
    *(etsy, shopware, woocommerce, prestashop, feed),
)


def convert(table: Table, today: date | None = None) -> Table:
    """The table in our own form where a shop system's export is recognised by its headings, else as it is.

    Sale prices hold or not on `today`, the machine's date unless another is given.
    """
    headings = {heading(column) for column in table.columns}
    for reader in READERS:
        if reader.recognise(headings):
            return table_of(reader.convert(table), table, reader.NAME, today or date.today())
    return table
