"""Rendering many pictures: what each shows, in worker processes that remember their shapes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from . import camera, catalogue
from .geometry import Mesh
from .materials import Material, wood
from .model import Model, Product, View
from .palette import rgb
from .shots import Shot

EXTRA_RIGS = (camera.HARD_RIGHT, camera.OVERCAST, camera.EVENING)
ROUND = 25  # shapes that a worker renders before it is replaced
BACKDROPS = ("#f7f5f0", "#e4e2dd", "#ded3c4", "#cfd8dc", "#e6d5d0", "#c9d2c6")
COMPANIONS = ("mug", "vase", "teapot", "bowl", "candle", "jug", "bottle", "planter", "toy", "headphones")
LARGE = ("sofa", "chair", "stool", "table", "storage", "floorlamp", "rug", "suitcase")
WALLS = ("#b9c4b4", "#d9b9a0", "#8fa3b0", "#c8bfa9", "#a98f86", "#6f7f86")


def _seed(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def backdrop(product: Product) -> dict[str, Any]:
    """The stage of a shop picture: white things would be lost on the usual white, so they stand on warm grey."""
    from . import render

    grey = render.Stage(Material(colour=rgb(catalogue.GREY), roughness=1.0, specular=0.0))
    return {"stage": grey} if catalogue.on_grey(product) else {}


def shop_picture(product: Product, model: Model) -> np.ndarray:
    """The catalogue picture: the family's own view on a white backdrop, or a grey one for what is white."""
    from . import render

    parts, cam = camera.frame(model)
    rig = camera.SHOP_ABOVE if model.view.above else camera.SHOP
    materials = product.family.materials(product.index, product.variant)
    return render.render(parts, materials, cam, rig, *catalogue.resolution("shop", product), **backdrop(product))


def second_picture(product: Product, model: Model) -> np.ndarray:
    """The other view on the product page, in the same light: the other side, or along what lies flat."""
    from . import render

    if model.view.above:
        view = View(-24.0, 44.0, fill=0.92)
    else:
        turn = -62 if model.view.azimuth > 0 else 62  # to the other side, never end on
        view = replace(
            model.view, azimuth=model.view.azimuth + turn, elevation=min(model.view.elevation + 12, 42), fill=0.84
        )
    parts, cam = camera.frame(model, view)
    materials = product.family.materials(product.index, product.variant)
    return render.render(
        parts, materials, cam, camera.SHOP, *catalogue.resolution("second", product), **backdrop(product)
    )


def extra_picture(product: Product, model: Model, number: int = 1) -> np.ndarray:
    """Another angle, other light and a tinted backdrop, all decided by the product's id and the view's number."""
    from . import render

    rng = np.random.default_rng(_seed(product.id if number == 1 else f"{product.id}/{number}"))
    side = rng.choice([-1, 1])
    if model.view.above:
        view = View(side * rng.uniform(8, 28), rng.uniform(52, 72), fill=rng.uniform(0.7, 0.84))
    else:
        view = replace(
            model.view,
            azimuth=model.view.azimuth + side * rng.uniform(25, 70),
            elevation=model.view.elevation + rng.uniform(2, 18),
            fill=rng.uniform(0.66, 0.82),
        )
    parts, cam = camera.frame(model, view, tuple(rng.uniform(-0.05, 0.05, 2)))
    stage = render.Stage(Material(colour=rgb(str(rng.choice(BACKDROPS))), roughness=1.0, specular=0.0))
    rig = EXTRA_RIGS[rng.integers(len(EXTRA_RIGS))]
    materials = product.family.materials(product.index, product.variant)
    return render.render(parts, materials, cam, rig, catalogue.EXTRA_SIZE, catalogue.EXTRA_SAMPLES, stage)


def phone_picture(product: Product, model: Model, setting: str = "table") -> np.ndarray:
    """As a phone would see it: on a wooden table by a coloured wall, off centre, in poor light.

    `setting` makes it harder: "dim", "cropped" (a quarter is out of the picture), "cluttered" (with another thing).
    """
    from . import render

    rng = np.random.default_rng(_seed("phone/" + product.id + ("" if setting == "table" else f"/{setting}")))
    side = rng.choice([-1, 1])
    view = replace(
        View(model.view.azimuth + side * rng.uniform(25, 50), rng.uniform(22, 34), fill=rng.uniform(0.56, 0.68)),
        lift=model.view.lift,
    )
    shift = (side * rng.uniform(0.05, 0.12), rng.uniform(-0.08, 0.02))
    roll = rng.uniform(-5, 5)
    if model.view.above:  # what lies on the table is seen from higher up
        view = replace(view, elevation=view.elevation + 28, azimuth=side * rng.uniform(5, 25))
    if setting == "cropped":
        view = replace(view, fill=rng.uniform(0.95, 1.1))
        shift = (side * rng.uniform(0.2, 0.28), rng.uniform(-0.12, 0.12))
    parts, cam = camera.frame(model, view, shift, roll=roll)
    kind = str(rng.choice(["oak", "walnut", "beech"]))
    stage = render.Stage(
        wood(kind, rng, along_v=True).but(roughness=0.55),
        curved=False,
        wall=Material(colour=rgb(str(rng.choice(WALLS))), roughness=1.0, specular=0.0),
    )
    rig = camera.EVENING if rng.random() < 0.5 else camera.WINDOW
    grain = 5.0
    if setting == "dim":
        rig, grain = replace(rig, ambient=rig.ambient * 0.5, exposure=rig.exposure * 0.6), 9.0
    materials = product.family.materials(product.index, product.variant)
    if setting == "cluttered":
        parts, materials = _with_another(product, parts, materials, side, rng)
    picture = render.render(parts, materials, cam, rig, catalogue.SHOP_SIZE, catalogue.PHONE_SAMPLES, stage)
    return render.phone_look(picture, rng, grain)


def _with_another(
    product: Product, parts: list[tuple[str, Mesh]], materials: dict[str, Material], side: int, rng: np.random.Generator
) -> tuple[list[tuple[str, Mesh]], dict[str, Material]]:
    """The parts and materials with those of some small thing that stands beside and a little behind."""
    others = catalogue.products([k for k in COMPANIONS if k != product.family.key])
    other = others[rng.integers(len(others))]
    around = np.vstack([m.vertices for _, m in parts])
    edge = around[:, 0].min() if side > 0 else around[:, 0].max()  # the product is shifted towards `side`
    beside, _ = camera.frame(other.family.model(other.index))
    size = rng.uniform(0.5, 0.75) * (0.35 if product.family.key in LARGE else 1.0)
    at = (edge - side * rng.uniform(0.15, 0.5), rng.uniform(0.2, 0.7), 0.0)
    parts = parts + [("other " + slot, m.moved(scale=size, by=at)) for slot, m in beside]
    added = other.family.materials(other.index, other.variant)
    return parts, {**materials, **{"other " + slot: m for slot, m in added.items()}}


def draw(shot: Shot, model: Model) -> np.ndarray:
    """The picture of a shot, 8-bit RGB."""
    if shot.kind == "extra":
        return extra_picture(shot.product, model, int(shot.detail))
    if shot.kind == "phone":
        return phone_picture(shot.product, model, shot.detail)
    return {"shop": shop_picture, "second": second_picture}[shot.kind](shot.product, model)


def _work(shots: Sequence[Shot], folder: str) -> list[tuple[str, str]]:
    from . import render

    model = shots[0].product.family.model(shots[0].product.index)
    for shot in shots:
        quality = 76 if shot.kind == "second" else 82
        render.save(draw(shot, model), Path(folder) / f"{shot.name}.webp", quality)
    return [(shot.name, model.fingerprint()) for shot in shots]


def run(shots: Sequence[Shot], folder: Path, processes: int) -> Iterator[tuple[str, str]]:
    """Render shots; yields (name, geometry hash) as they get done, the shots of one shape together.

    A shape that fails does not stop the others: RuntimeError names it at the end.
    """
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["STUDIO_THREADS"] = "1"
    groups = [list(g) for _, g in groupby(shots, key=lambda s: s.product.parent_id)]
    failed: dict[str, Exception] = {}
    # Workers are replaced after a while, since the renderer keeps what it once compiled. By rounds: an executor's own
    # max_tasks_per_child can hang for ever when its workers end together (python/cpython#115634).
    for start in range(0, len(groups), ROUND * processes):
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            some = groups[start : start + ROUND * processes]
            tasks = {pool.submit(_work, group, str(folder)): group[0].product.parent_id for group in some}
            for task in as_completed(tasks):
                try:
                    yield from task.result()
                except BrokenProcessPool:
                    raise
                except Exception as error:
                    failed[tasks[task]] = error
    if failed:
        names, first = ", ".join(failed), next(iter(failed.values()))
        raise RuntimeError(f"{len(failed)} shapes could not be rendered ({names}); first: {first!r}") from first
