"""Whether learning a taste pays, measured with simulated shoppers of hidden tastes.

    python -m mmdemo.evaluate.simulated_shoppers [--index INDEX]

A shopper likes a colour, a material and a style (a pattern or a brand). Each round the shopper asks for something,
which is a random page of products, and the shop puts one of them first; the shopper likes it with a chance that counts
the matches. Regret is what the best product of the page would have earned instead. Four shops serve the same shoppers
and pages: the bandit of `feedback`, Rocchio's update, an epsilon-greedy one on the same features, and one that learns
nothing.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmdemo.core.metrics import Interval, bootstrap_interval
from mmdemo.core.paths import HOME
from mmdemo.evaluate.plots import Line, line_chart
from mmdemo.index.product_index import ProductIndex
from mmdemo.search.feedback import Floats, Posterior, Space, rewards

ROUNDS = 100
SHOPPERS = 200
VISITS = 4  # of each shopper, every time unknown again: chance averages out within a shopper
PAGE = 24  # products on a page
TRIES = 50  # products looked at for each shopper, where few have a colour, a material or a style at all
CHANCES = (0.05, 0.3, 0.65, 0.95)  # of a like, for 0, 1, 2 and 3 matches
STYLES = ("pattern", "brand", "style", "season", "usage")
COLOURS, MATERIALS = ("colour", "base_colour"), ("material", "fabric", "sub_category")
PLAIN = frozenset(("plain", "solid", ""))
EPSILON = 0.1

# (features of the page (p, k) and of what came first so far (t, k), likes so far (t,), rng) -> place on the page
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
    columns = [next((c for c in names if c in index.facets), "") for names in (COLOURS, MATERIALS)]
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
        matches = sum(index.facet_index.having(c, [v]).astype(int) for c, v in wanted)
        drawn.append(Shopper(np.array(CHANCES)[matches]))
    return drawn


def unlearning(page: Floats, history: Floats, liked: NDArray[np.bool_], rng: np.random.Generator) -> int:
    """No learning: whatever the page has first."""
    return 0


def rocchio(page: Floats, history: Floats, liked: NDArray[np.bool_], rng: np.random.Generator) -> int:
    """Nearest to the mean of what was liked, away from the mean of the rest (Rocchio 1971, with its usual weights)."""
    if not liked.any():
        return 0
    query = 0.75 * history[liked].mean(0) - (0.15 * history[~liked].mean(0) if not liked.all() else 0)
    return int(np.argmax(page @ query))


def epsilon_greedy(page: Floats, history: Floats, liked: NDArray[np.bool_], rng: np.random.Generator) -> int:
    """What the posterior's mean likes best, and a random product in one of 1 / EPSILON rounds."""
    if rng.random() < EPSILON:
        return int(rng.integers(len(page)))
    return int(np.argmax(page @ Posterior(history, rewards(liked)).mean))


def thompson(page: Floats, history: Floats, liked: NDArray[np.bool_], rng: np.random.Generator) -> int:
    """What a draw from the posterior likes best (Agrawal and Goyal 2013)."""
    return int(np.argmax(page @ Posterior(history, rewards(liked)).draw(rng)))


SHOPS: dict[str, Shop] = {
    "no learning": unlearning,
    "Rocchio": rocchio,
    "epsilon-greedy": epsilon_greedy,
    "Thompson sampling": thompson,
}


def regret(shop: Shop, x: Floats, shopper: Shopper, seed: int, rounds: int = ROUNDS) -> Floats:
    """Cumulative expected regret (rounds,) of one shop with one shopper; pages depend on the seed alone."""
    pages, chance, rng = (np.random.default_rng([seed, stream]) for stream in range(3))
    history = np.zeros((rounds, x.shape[1]))
    liked = np.zeros(rounds, bool)
    lost = np.zeros(rounds)
    for t in range(rounds):
        page = pages.choice(len(x), min(PAGE, len(x)), replace=False)
        row = page[shop(x[page], history[:t], liked[:t], rng)]
        history[t], liked[t] = x[row], chance.random() < shopper.chance[row]
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


@dataclass(frozen=True)
class ShopRegret:
    """What shoppers lost in a shop, and how much `more` than with the bandit."""

    regret: Interval
    more: Interval


def figures(curves: dict[str, Floats]) -> dict[str, ShopRegret]:
    """Mean final regret with its 95% interval, and how much more it is than the bandit's, shopper by shopper."""
    best = curves["Thompson sampling"][:, -1]
    return {
        name: ShopRegret(regret=bootstrap_interval(c[:, -1]), more=bootstrap_interval(c[:, -1] - best))
        for name, c in curves.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path, default=HOME / "index" / "default")
    parser.add_argument("--out", type=Path, default=HOME / "docs", help="folder for taste.png and taste.json")
    chosen = parser.parse_args()
    curves = simulate(ProductIndex.load(chosen.index))
    shops = figures(curves)
    for name, shop in shops.items():
        r, m = shop.regret, shop.more
        print(
            f"{name:18s} regret {r.value:5.2f} [{r.low:.2f}, {r.high:.2f}]"
            f"   more than Thompson sampling by {m.value:5.2f} [{m.low:.2f}, {m.high:.2f}]"
        )
    chosen.out.mkdir(parents=True, exist_ok=True)
    (chosen.out / "taste.json").write_text(
        json.dumps({name: asdict(shop) for name, shop in shops.items()}, indent=1) + "\n"
    )
    rounds = np.arange(1, ROUNDS + 1)
    lines = [Line(name, rounds, c.mean(0), 1.96 * c.std(0) / len(c) ** 0.5) for name, c in curves.items()]
    picture = line_chart(lines, "clicks", "cumulative regret, mean and 95% interval")
    (chosen.out / "taste.png").write_bytes(picture)


if __name__ == "__main__":
    main()
