"""python -m mmdemo.simulate [--index INDEX] [--out FOLDER]: does learning a taste pay? Shoppers with hidden tastes.

A shopper likes a colour, a material and a style (a pattern or a brand). Each round the shopper asks for something,
which is a random page of products, and the shop puts one of them first; the shopper likes it with a chance that counts
the matches. Regret is what the best product of the page would have earned instead. Four shops serve the same shoppers
and pages: the bandit of `feedback`, Rocchio's update, an epsilon-greedy one on the same features, and one that learns
nothing.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmdemo.evaluation import interval
from mmdemo.feedback import Floats, Posterior, Space, rewards
from mmdemo.home import HOME
from mmdemo.index import ProductIndex
from mmdemo.plot import Line, plot

ROUNDS = 100
SHOPPERS = 200
VISITS = 4  # of each shopper, every time unknown again: what luck does averages out within a shopper
PAGE = 24  # products on a page
FEWEST = 10 * PAGE  # products: with fewer, pages are too alike to tell shops apart
TRIES = 50  # products looked at for each shopper, where few have a colour, a material or a style at all
EVERY = 5  # clicks between two points of a curve that a report keeps
CHANCES = (0.05, 0.3, 0.65, 0.95)  # of a like, for 0, 1, 2 and 3 matches
STYLES = ("pattern", "brand", "style", "season", "usage")
COLOURS, MATERIALS = ("colour", "base_colour"), ("material", "fabric", "sub_category")
PLAIN = frozenset(("plain", "solid", ""))
EPSILON = 0.1

# (features of the page (p, k), features of what was shown (t, k), likes so far (t,), rng) -> place on the page
Shop = Callable[[Floats, Floats, NDArray[np.bool_], np.random.Generator], int]


@dataclass(frozen=True)
class Shopper:
    """The chance (n,) that each product is liked."""

    chance: Floats


def shoppers(index: ProductIndex, count: int, seed: int) -> list[Shopper]:
    """Shoppers whose taste is the colour, the material and the style of random products of the catalogue.

    Fewer than `count`, or none, where too few products tell two of the three.
    """
    rng = np.random.default_rng(seed)
    columns = [
        next((c for c in names if c in index.facets), "") for names in (COLOURS, MATERIALS)
    ]  # fmt: skip
    styles = [c for c in STYLES if c in index.facets]
    drawn: list[Shopper] = []
    for _ in range(count * TRIES):
        if len(drawn) == count:
            break
        pick = [index.products[int(rng.integers(len(index)))] for _ in range(3)]
        wanted = [(c, str(p.field(c) or "")) for c, p in zip(columns, pick, strict=False) if c]
        if styles:
            style = styles[int(rng.integers(len(styles)))]
            wanted.append((style, str(pick[2].field(style) or "")))
        wanted = [(c, v) for c, v in wanted if v.casefold() not in PLAIN]
        if len(wanted) < 2:
            continue
        matches = sum(np.array([v in p.values(c) for p in index.products], int) for c, v in wanted)
        drawn.append(Shopper(np.array(CHANCES)[matches]))
    return drawn


def unlearning(page: Floats, shown: Floats, liked: NDArray[np.bool_], rng: np.random.Generator) -> int:
    """No learning: whatever the page has first."""
    return 0


def rocchio(page: Floats, shown: Floats, liked: NDArray[np.bool_], rng: np.random.Generator) -> int:
    """Nearest to the mean of what was liked, away from the mean of the rest (Rocchio 1971, with its usual weights)."""
    if not liked.any():
        return 0
    query = 0.75 * shown[liked].mean(0) - (0.15 * shown[~liked].mean(0) if not liked.all() else 0)
    return int(np.argmax(page @ query))


def epsilon_greedy(page: Floats, shown: Floats, liked: NDArray[np.bool_], rng: np.random.Generator) -> int:
    """What the posterior's mean likes best, and a random product in one of 1 / EPSILON rounds."""
    if rng.random() < EPSILON:
        return int(rng.integers(len(page)))
    return int(np.argmax(page @ Posterior(shown, rewards(liked)).mean))


def thompson(page: Floats, shown: Floats, liked: NDArray[np.bool_], rng: np.random.Generator) -> int:
    """What a draw from the posterior likes best (Agrawal and Goyal 2013)."""
    return int(np.argmax(page @ Posterior(shown, rewards(liked)).draw(rng)))


SHOPS: dict[str, Shop] = {
    "no learning": unlearning, "Rocchio": rocchio, "epsilon-greedy": epsilon_greedy, "Thompson sampling": thompson,
}  # fmt: skip


def regret(shop: Shop, x: Floats, shopper: Shopper, seed: int, rounds: int = ROUNDS) -> Floats:
    """Cumulative expected regret (rounds,) of one shop with one shopper; pages depend on the seed alone."""
    pages, luck, rng = (np.random.default_rng([seed, stream]) for stream in range(3))
    shown = np.zeros((rounds, x.shape[1]))
    liked = np.zeros(rounds, bool)
    lost = np.zeros(rounds)
    for t in range(rounds):
        page = pages.choice(len(x), min(PAGE, len(x)), replace=False)
        row = page[shop(x[page], shown[:t], liked[:t], rng)]
        shown[t], liked[t] = x[row], luck.random() < shopper.chance[row]
        lost[t] = shopper.chance[page].max() - shopper.chance[row]
    return np.cumsum(lost)


def simulate(index: ProductIndex, count: int = SHOPPERS, rounds: int = ROUNDS, seed: int = 0) -> dict[str, Floats]:
    """Cumulative regret (shoppers, rounds) of every shop, the mean of VISITS of each shopper."""
    x = Space(index.vectors).features(index.vectors)
    drawn = shoppers(index, count, seed)

    def lost(shop: Shop, n: int) -> Floats:
        seeds = range(VISITS * n, VISITS * (n + 1))
        return np.mean([regret(shop, x, drawn[n], s, rounds) for s in seeds], axis=0)

    return {name: np.stack([lost(shop, n) for n in range(len(drawn))]) for name, shop in SHOPS.items()}


def figures(curves: dict[str, Floats]) -> dict[str, Any]:
    """Mean final regret with its 95% interval, and how much more it is than the bandit's, shopper by shopper."""
    best = curves["Thompson sampling"][:, -1]
    return {name: {"regret": interval(c[:, -1]), "more": interval(c[:, -1] - best)} for name, c in curves.items()}


def report(index: ProductIndex, count: int = SHOPPERS, rounds: int = ROUNDS) -> dict[str, Any] | None:
    """What a report says of learning tastes here: {"shoppers", "every", "shops"}, each shop with its regret, how much
    more it is than the bandit's, and its curve; None where the catalogue cannot tell tastes apart."""
    if len(index) < FEWEST or len(shoppers(index, count, 0)) < count:
        return None
    curves = simulate(index, count, rounds)
    shops = {
        name: found | {"curve": curves[name][:, EVERY - 1 :: EVERY].mean(0).round(3).tolist()}
        for name, found in figures(curves).items()
    }
    return {"shoppers": count, "every": EVERY, "shops": shops}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path, default=HOME / "index" / "default")
    parser.add_argument("--out", type=Path, default=HOME / "docs", help="folder for taste.png and taste.json")
    chosen = parser.parse_args()
    curves = simulate(ProductIndex.load(chosen.index))
    found = figures(curves)
    for name, f in found.items():
        r, m = f["regret"], f["more"]
        print(f"{name:18s} regret {r['value']:5.2f} [{r['low']:.2f}, {r['high']:.2f}]"
              f"   more than Thompson sampling by {m['value']:5.2f} [{m['low']:.2f}, {m['high']:.2f}]")  # fmt: skip
    chosen.out.mkdir(parents=True, exist_ok=True)
    (chosen.out / "taste.json").write_text(json.dumps(found, indent=1) + "\n")
    rounds = np.arange(1, ROUNDS + 1)
    lines = [Line(name, rounds, c.mean(0), 1.96 * c.std(0) / len(c) ** 0.5) for name, c in curves.items()]
    plot(lines, "clicks", "cumulative regret, mean and 95% interval").save(chosen.out / "taste.png")


if __name__ == "__main__":
    main()
