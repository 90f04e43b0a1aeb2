"""A small shop as a visitor would send it: a ZIP with a table and pictures, one row of it at fault."""

import io
import zipfile
from pathlib import Path

from tests.toys import COLOURS, picture

BAD = ("p99", "images/none.png")  # the id of the row at fault, and the picture that it names and nobody packed


def shop_zip(path: Path, products: int = 12, bad: bool = True) -> Path:
    """Write the ZIP; its headings are a shop's own (sku, Photo)."""
    rows = ["sku,Photo,title,price,colour,material"]
    with zipfile.ZipFile(path, "w") as packed:
        for n in range(products):
            colour, shape = list(COLOURS)[n % 6], ("mug", "tray")[n % 2]
            file = io.BytesIO()
            picture(shape, colour, scale=0.5 + 0.03 * (n % 12)).save(file, "PNG")
            packed.writestr(f"images/p{n}.png", file.getvalue())
            material = "clay" if n % 3 else "wood"
            rows.append(f"p{n},images/p{n}.png,{colour.capitalize()} {shape} {n},{10 + n}.00 €,{colour},{material}")
        if bad:
            rows.append(f'{BAD[0]},{BAD[1]},"=HYPERLINK(1)",3,red,clay')
        packed.writestr("products.csv", "\n".join(rows))
    return path
