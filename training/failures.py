"""What an encoder gets wrong, to look at: a contact sheet of its worst mistakes, and its commonest confusions in words.

    python training/failures.py --encoder ENCODER --catalog CATALOG [--views FOLDER] [--data DATA]
        --sheet docs/encoder-failures.webp --markdown FILE

The sheet shows the default catalogue alone, which is the project's own: its titles, crops of its pictures, its products
on plain grounds in dim light, and its further views (`queries.csv` of FOLDER). DATA holds photos of other people, so
of those only words are written: what was asked, what was expected, what came first, and how often.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mmdemo.catalog.catalog import Catalog
from mmdemo.encode.embeddings import random_crop
from mmdemo.encode.encoder import Encoder
from mmdemo.finetune.dataset import other_photos
from training import phone
from training.measure import Shop, aside, pictures, same

TILE, GAP, LINE = 132, 10, 15  # pixels
GROUNDS = ("#b9b2a6", "#8f6f52", "#5d6d7e", "#6f7f5f", "#d8cbb8", "#3f4347")  # walls, wood, cloth
INK, QUIET, GOOD, BAD = "#222222", "#777777", "#1a7f37", "#b42318"


@dataclass(frozen=True)
class Mistake:
    """Query number, rows of the answers in their order, the best right row and its rank (from 1)."""

    query: int
    answers: list[int]
    right: int
    rank: int


def mistakes(scores: np.ndarray, right: np.ndarray) -> list[Mistake]:
    """Every query (row) whose first answer is wrong, the worst rank of the right one first."""
    order = np.argsort(-scores, axis=1, kind="stable")
    mistakes_made = []
    for i in np.flatnonzero(right.any(1)):
        rank = int(right[i][order[i]].argmax())
        if rank:
            mistakes_made.append(Mistake(int(i), order[i].tolist(), int(order[i][rank]), rank + 1))
    return sorted(mistakes_made, key=lambda m: -m.rank)


def varied(mistakes_made: Sequence[Mistake], names: Sequence[str], most: int) -> list[Mistake]:
    """The first `most` mistakes, no two about the same kind of thing (by the name of the right row)."""
    first = {names[mistake.right]: mistake for mistake in reversed(mistakes_made)}
    return sorted(first.values(), key=lambda m: -m.rank)[:most]


def tile(sheet: Image.Image, x: int, y: int, content: Image.Image | str, lines: Sequence[tuple[str, str]]) -> None:
    """A picture or a sentence in a frame, with lines of (text, colour) below it."""
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    if isinstance(content, str):
        pen.rectangle([x, y, x + TILE, y + TILE], fill="#f3f1ec")
        text = "\n".join(wrap(f"“{content}”", 18)[:6])
        pen.multiline_text((x + TILE / 2, y + TILE / 2), text, INK, ImageFont.load_default(14), "mm", 4, "center")
    else:
        sheet.paste(ImageOps.pad(content.convert("RGB"), (TILE, TILE), color="white"), (x, y))
    pen.rectangle([x, y, x + TILE, y + TILE], outline="#d0d0d0")
    written = [(part, colour) for text, colour in lines for part in wrap(text, 21)[:2]]
    for i, (text, colour) in enumerate(written):
        pen.text((x, y + TILE + 4 + i * LINE), text, colour, font)


def contact_sheet(rows: Sequence[tuple[str, Image.Image | str, Mistake, np.ndarray]], shop: Shop) -> Image.Image:
    """Two mistakes a line: what was asked, the first two wrong answers, what was right. Scores are cosines."""
    wide, high, top = 4 * (TILE + GAP) + 2 * GAP, TILE + 5 * LINE + 12, 44
    sheet = Image.new("RGB", (2 * wide, top + high * -(-len(rows) // 2)), "white")
    pen = ImageDraw.Draw(sheet)
    title = "The worst mistakes of the encoder on the default catalogue: asked, first answers, right answer"
    pen.text((GAP, 12), title, INK, ImageFont.load_default(18))
    for at, (task, asked, mistake, scores) in enumerate(rows):
        x, y = GAP + at % 2 * wide, top + at // 2 * high
        tile(sheet, x, y, asked, [(task, QUIET)])
        first, next_best = [row for row in mistake.answers if row != mistake.right][:2]
        places = {row: place for place, row in enumerate(mistake.answers, 1)}
        for column, (row, colour) in enumerate([(first, BAD), (next_best, BAD), (mistake.right, GOOD)]):
            label = f"right, rank {mistake.rank}" if row == mistake.right else f"rank {places[row]}"
            lines = [(f"{label}: {scores[row]:.3f}", colour), (shop.products[row].title, INK)]
            tile(sheet, x + (column + 1) * (TILE + GAP), y, shop.shelf[row], lines)
    return sheet


def ours(encoder: Encoder, shop: Shop, views: Path | None, most: int) -> list:
    """(task, asked, mistake, scores) of the default catalogue: `most` mistakes a task."""
    seen = encoder.encode_image(shop.shelf)
    rng, titles = np.random.default_rng(0), [p.title for p in shop.products]
    grounds = [Image.new("RGB", (phone.SIDE, phone.SIDE), colour) for colour in GROUNDS]
    dim = phone.composites(shop.shelf, grounds)
    photographed = [i for i, photo in enumerate(dim) if photo is not None]
    tasks = [
        ("a title", titles, same(titles, titles), encoder.encode_text),
        ("a crop, JPEG 40", [random_crop(p, rng) for p in shop.shelf], same(shop.ids, shop.ids), encoder.encode_image),
        (
            "dim, on a plain ground",
            [dim[i] for i in photographed],
            same([shop.ids[i] for i in photographed], shop.ids),
            encoder.encode_image,
        ),
    ]
    if views and (other := [(path, i) for path, i, _ in other_photos(views) if i in set(shop.ids)]):
        shots = pictures([path for path, _ in other])
        tasks.append(("another view", shots, same([i for _, i in other], shop.ids), encoder.encode_image))
    rows = []
    for task, asked, right, embed in tasks:
        scores = embed(asked) @ seen.T
        found = mistakes(scores, right)
        print(f"{task}: {len(found)} of {len(asked)} first answers are wrong", flush=True)
        rows += [
            (task, asked[m.query], m, scores[m.query]) for m in varied(found, [p.category for p in shop.products], most)
        ]
    return rows


def theirs(encoder: Encoder, data: Path) -> list[tuple[str, str, str, str, int, int]]:
    """(task, asked, expected, came first, times, of) of the third-party catalogues, products not trained on."""
    rows = []
    fashion = Catalog.read(data / "fashion")
    products = aside(fashion)
    seen = encoder.encode_image(pictures([fashion.image_path(p) for p in products]))
    titles = [p.title for p in products]
    scores = encoder.encode_text(titles) @ seen.T
    groups = [p.group or p.id for p in products]
    for m in mistakes(scores, same(groups, groups))[:3]:
        asked, expected, first = (products[i] for i in (m.query, m.right, m.answers[0]))
        rows.append(
            (
                "fashion: title -> picture, worst",
                asked.title,
                f"{expected.category} (found {m.rank}.)",
                first.title,
                1,
                1,
            )
        )
    kinds = [p.category for p in products]
    rows += confusions("fashion: title -> category of the first picture", kinds, [kinds[i] for i in scores.argmax(1)])
    homes = Catalog.read(data / "clothing")
    worn = [p for p in aside(homes) if p.category != "Other"]
    labels = sorted({p.category for p in worn})
    said = encoder.encode_text([label.lower() for label in labels])
    guessed = encoder.encode_image(pictures([homes.image_path(p) for p in worn])) @ said.T
    rows += confusions(
        "clothing: home photo -> label", [p.category for p in worn], [labels[i] for i in guessed.argmax(1)]
    )
    for name, task in (("grocery", "phone photo -> product"), ("sportswear", "other view -> product")):
        shop = Shop(data / name, name)
        title = {p.id: p.title for p in shop.products}
        unseen = {shop.ids[i] for i in shop.halves()[0][1]}
        views = [(path, i) for path, i, _ in other_photos(shop.catalog.root) if i in unseen]
        found = encoder.encode_image(pictures([path for path, _ in views])) @ encoder.encode_image(shop.shelf).T
        first = [title[shop.ids[i]] for i in found.argmax(1)]
        rows += confusions(f"{name}: {task}", [title[i] for _, i in views], first)
    return rows


def confusions(task: str, expected: Sequence[str], first: Sequence[str], most: int = 4) -> list:
    """The commonest (expected, came first) that differ, with how often and out of how many of what was expected."""
    total = Counter(expected)
    pairs = Counter((a, b) for a, b in zip(expected, first, strict=True) if a != b)
    return [(task, "", a, b, times, total[a]) for (a, b), times in pairs.most_common(most)]


def markdown(rows: Sequence[tuple[str, str, str, str, int, int]]) -> str:
    lines = ["| task | asked | expected | came first | times |", "|---|---|---|---|---|"]
    for task, asked, expected, first, times, of in rows:
        cells = [cell.replace("|", "/") for cell in (task, asked, expected, first)]
        lines.append(f"| {' | '.join(cells)} | {f'{times} of {of}' if of > 1 else ''} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--encoder", required=True)
    parser.add_argument("--catalog", type=Path, required=True)
    parser.add_argument("--views", type=Path, help="a folder whose queries.csv has further views of the catalogue")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--sheet", type=Path, required=True)
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--most", type=int, default=4, help="mistakes shown of each task")
    args = parser.parse_args()
    encoder, shop = Encoder.load(args.encoder), Shop(args.catalog, "default catalogue")
    contact_sheet(ours(encoder, shop, args.views, args.most), shop).save(args.sheet, quality=72, method=6)
    print(f"{args.sheet}: {args.sheet.stat().st_size / 1000:.0f} kB")
    if args.data:
        table = markdown(theirs(encoder, args.data))
        print(table)
        if args.markdown:
            args.markdown.write_text(table, encoding="utf-8")


if __name__ == "__main__":
    main()
