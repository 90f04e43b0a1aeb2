"""Rendering many pictures: what each shows, in worker processes that remember their shapes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from . import camera, catalogue
from .materials import Material, wood
from .model import Model, Product, View
from .palette import rgb

EXTRA_RIGS = (camera.HARD_RIGHT, camera.OVERCAST, camera.EVENING)
BACKDROPS = ("#f7f5f0", "#e4e2dd", "#ded3c4", "#cfd8dc", "#e6d5d0", "#c9d2c6")
WALLS = ("#b9c4b4", "#d9b9a0", "#8fa3b0", "#c8bfa9", "#a98f86", "#6f7f86")

# Products photographed for the example queries, with what a shopper would type beside the photo.
PHONE_QUERIES = (
    ("cushion-01-mustard", "with checks"),
    ("teapot-01-red", ""),
    ("lamp-01-blue", "in green"),
    ("tote-01-navy", "with stripes"),
    ("mug-01-navy-stripes", ""),
    ("sneaker-01-navy", ""),
    ("chair-03-green", "the same in pink"),
    ("planter-03-teal", ""),
)


def _seed(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def shop_picture(product: Product, model: Model) -> np.ndarray:
    """The catalogue picture: the family's own view on a white backdrop."""
    from . import render

    parts, cam = camera.frame(model)
    rig = camera.SHOP_ABOVE if model.view.above else camera.SHOP
    materials = product.family.materials(product.index, product.variant)
    return render.render(parts, materials, cam, rig, catalogue.SHOP_SIZE, catalogue.shop_samples(product))


def extra_picture(product: Product, model: Model) -> np.ndarray:
    """Another angle, other light and a tinted backdrop, all decided by the product's id."""
    from . import render

    rng = np.random.default_rng(_seed(product.id))
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


def phone_picture(product: Product, model: Model) -> np.ndarray:
    """As a phone would see it: on a wooden table by a coloured wall, off centre, in dim light."""
    from . import render

    rng = np.random.default_rng(_seed("phone/" + product.id))
    side = rng.choice([-1, 1])
    view = View(model.view.azimuth + side * rng.uniform(25, 50), rng.uniform(22, 34), fill=rng.uniform(0.56, 0.68))
    shift = (side * rng.uniform(0.05, 0.12), rng.uniform(-0.08, 0.02))
    parts, cam = camera.frame(model, view, shift, roll=rng.uniform(-5, 5))
    kind = str(rng.choice(["oak", "walnut", "beech"]))
    stage = render.Stage(
        wood(kind, rng, along_v=True).but(roughness=0.55),
        curved=False,
        wall=Material(colour=rgb(str(rng.choice(WALLS))), roughness=1.0, specular=0.0),
    )
    rig = camera.EVENING if rng.random() < 0.5 else camera.WINDOW
    materials = product.family.materials(product.index, product.variant)
    return render.phone_look(render.render(parts, materials, cam, rig, catalogue.SHOP_SIZE, 32, stage), rng)


PICTURES = {"shop": shop_picture, "extra": extra_picture, "phone": phone_picture}


def _work(kind: str, ids: Sequence[str], folder: str) -> list[tuple[str, str]]:
    from . import render

    by_id = {p.id: p for p in catalogue.products()}
    done, model = [], by_id[ids[0]].family.model(by_id[ids[0]].index)
    for name in ids:
        render.save(PICTURES[kind](by_id[name], model), Path(folder) / f"{name}.webp")
        done.append((name, model.fingerprint()))
    return done


def run(kind: str, items: Sequence[Product], folder: Path, processes: int) -> Iterator[tuple[str, str]]:
    """Render pictures of one kind; yields (product id, geometry hash) as they get done."""
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["STUDIO_THREADS"] = "1"
    groups = [[p.id for p in g] for _, g in groupby(items, key=lambda p: p.parent_id)]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        tasks = [pool.submit(_work, kind, ids, str(folder)) for ids in groups]
        for task in as_completed(tasks):
            yield from task.result()
