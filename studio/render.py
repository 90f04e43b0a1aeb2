"""Mitsuba scenes, denoising and tone mapping. Import this only where pictures are made."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

from .camera import Camera, Rig, Softbox
from .geometry import Array, Mesh, fillet, grid_faces, vertex_normals
from .materials import Material
from .palette import linear, tone_map

MAX_DEPTH = 8  # glass needs it


@dataclass(frozen=True)
class Stage:
    """What the object stands on: floor and wall materials; the wall curves up behind the object."""

    floor: Material
    curved: bool = True
    wall: Material | None = None


@lru_cache(maxsize=1)
def mitsuba() -> Any:
    """Mitsuba with its vectorised variant; LLVM 16 or newer is needed on processors with AVX-512."""
    for name in ("libLLVM.so.19.1", "libLLVM-19.so.1"):
        path = f"/usr/lib/x86_64-linux-gnu/{name}"
        if "DRJIT_LIBLLVM_PATH" not in os.environ and os.path.exists(path):
            os.environ["DRJIT_LIBLLVM_PATH"] = path
    import drjit
    import mitsuba as mi

    mi.set_variant("llvm_ad_rgb")
    drjit.set_thread_count(int(os.environ.get("STUDIO_THREADS", "1")))
    return mi


def _colour(c: Array | None) -> dict:
    return {"type": "rgb", "value": [float(x) for x in linear(np.asarray(c))]}


def _texture(values: Array, repeat: tuple[float, float], raw: bool) -> dict:
    mi = mitsuba()
    a = np.asarray(values, np.float32)
    a = a[..., None] if a.ndim == 2 else linear(a).astype(np.float32)
    scale = mi.ScalarTransform4f().scale([repeat[0], repeat[1], 1])
    return {
        "type": "bitmap",
        "bitmap": mi.Bitmap(np.ascontiguousarray(a)),
        "raw": True,
        "wrap_mode": "repeat",
        "to_uv": scale,
    }


def _bsdf(m: Material) -> dict:
    base = _texture(m.texture, m.repeat, False) if m.texture is not None else _colour(m.colour)
    if m.kind == "glass":
        return {"type": "dielectric", "int_ior": 1.5, "specular_transmittance": base}
    if m.kind == "translucent":
        return {"type": "principledthin", "base_color": base, "roughness": 0.8, "diff_trans": 1.1}
    d = {
        "type": "principled",
        "base_color": base,
        "roughness": m.roughness,
        "metallic": m.metallic,
        "specular": m.specular,
        "clearcoat": m.coat,
        "clearcoat_gloss": 0.95,
        "sheen": m.sheen,
        "sheen_tint": 0.5,
    }
    if m.bump is not None:
        bump = _texture(m.bump, m.bump_repeat, True)
        d = {"type": "bumpmap", "nested_texture": bump, "scale": m.bump_depth, "nested": d}
    return {"type": "twosided", "nested": d}


def _shape(mesh: Mesh, material: Material, name: str) -> Any:
    mi = mitsuba()
    props = mi.Properties()
    props["mesh_bsdf"] = mi.load_dict(_bsdf(material))
    if material.emission is not None:
        radiance = {"type": "rgb", "value": [float(x) for x in material.emission]}
        props["emit"] = mi.load_dict({"type": "area", "radiance": radiance})
    shape = mi.Mesh(
        name,
        len(mesh.vertices),
        len(mesh.faces),
        has_vertex_normals=True,
        has_vertex_texcoords=True,
        props=props,
    )
    p = mi.traverse(shape)
    p["vertex_positions"] = mesh.vertices.astype(np.float32).ravel()
    p["faces"] = mesh.faces.astype(np.uint32).ravel()
    p["vertex_normals"] = vertex_normals(mesh).astype(np.float32).ravel()
    p["vertex_texcoords"] = mesh.uv.astype(np.float32).ravel()
    p.update()
    return shape


def _lamp(box: Softbox) -> dict:
    mi = mitsuba()
    place = mi.ScalarTransform4f().look_at(list(box.position), [0, 0, 0.8], [0, 0, 1])
    return {
        "type": "rectangle",
        "to_world": place @ mi.ScalarTransform4f().scale([box.width / 2, box.height / 2, 1]),
        "emitter": {"type": "area", "radiance": {"type": "rgb", "value": [float(x) for x in box.radiance]}},
    }


def _strip(profile: Array, half_width: float = 16.0) -> Mesh:
    n = len(profile)
    x = np.linspace(-half_width, half_width, 3)
    v = np.stack([np.repeat(x, n), np.tile(profile[:, 0], 3), np.tile(profile[:, 1], 3)], 1)
    depth = np.r_[0, np.cumsum(np.linalg.norm(np.diff(profile, axis=0), axis=1))]
    return Mesh(v, grid_faces(3, n)[:, ::-1], np.stack([np.tile(depth, 3), np.repeat(x, n)], 1) * 0.35, closed=False)


STUDIO = Stage(Material(colour=np.array([0.982, 0.981, 0.978]), roughness=1.0, specular=0.0))


def _backdrop(stage: Stage) -> list[tuple[Mesh, Material]]:
    if stage.curved:
        return [(_strip(fillet([[-14, 0], [4.5, 0], [4.5, 9]], [0, 3.2, 0], 24)), stage.floor)]
    floor = _strip(np.array([[-14.0, 0], [-5, 0], [2.2, 0]]))
    wall = _strip(np.array([[2.2, 0], [2.2, 4], [2.2, 9]]))
    return [(floor, stage.floor), (wall, stage.wall or stage.floor)]


def render(
    parts: list[tuple[str, Mesh]],
    materials: dict[str, Material],
    camera: Camera,
    rig: Rig,
    size: int,
    samples: int,
    stage: Stage = STUDIO,
    seed: int = 0,
) -> Array:
    """One 8-bit RGB picture, denoised."""
    mi = mitsuba()
    import pyoidn

    scene = {
        "type": "scene",
        "integrator": {
            "type": "aov",
            "aovs": "alb:albedo,nn:sh_normal",
            "img": {"type": "path", "max_depth": MAX_DEPTH, "rr_depth": 5, "hide_emitters": True},
        },
        "sensor": {
            "type": "perspective",
            "fov": camera.field_of_view,
            "fov_axis": "larger",
            "to_world": mi.ScalarTransform4f().look_at(
                [float(x) for x in camera.eye],
                [float(x) for x in camera.target],
                [float(x) for x in camera.up],
            ),
            "film": {
                "type": "hdrfilm",
                "width": size,
                "height": size,
                "rfilter": {"type": "box"},
                "pixel_format": "rgb",
                "component_format": "float32",
            },
            "sampler": {"type": "multijitter", "sample_count": samples, "seed": seed},
        },
        "sky": {"type": "constant", "radiance": {"type": "rgb", "value": rig.ambient}},
    }
    for i, box in enumerate(rig.boxes):
        scene[f"box{i}"] = _lamp(box)
    for i, (mesh, material) in enumerate(_backdrop(stage)):
        scene[f"stage{i}"] = _shape(mesh, material, f"stage{i}")
    for i, (slot, mesh) in enumerate(parts):
        scene[f"part{i}"] = _shape(mesh, materials[slot], f"part{i}")
    image = np.nan_to_num(np.array(mi.render(mi.load_dict(scene), spp=samples, seed=seed)))
    light, albedo, normal = (
        np.ascontiguousarray(a, np.float32) for a in (image[..., :3], np.clip(image[..., 3:6], 0, 1), image[..., 6:9])
    )
    return tone_map(np.asarray(pyoidn.denoise(light, albedo, normal, hdr=True)), rig.exposure)


def phone_look(picture: Array, rng: np.random.Generator, grain: float = 5.0) -> Array:
    """A little blur, sensor grain and vignette, as a phone adds in a dim room."""
    from scipy import ndimage

    p = ndimage.gaussian_filter(picture.astype(float), (0.6, 0.6, 0))
    n = len(p)
    y, x = np.mgrid[-1 : 1 : n * 1j, -1 : 1 : n * 1j]
    p *= (1 - 0.16 * (x**2 + y**2))[..., None]
    p += ndimage.gaussian_filter(rng.standard_normal(p.shape), (0.7, 0.7, 0)) * grain
    return np.clip(p + 0.5, 0, 255).astype(np.uint8)


def save(picture: Array, path: os.PathLike | str, quality: int = 82) -> None:
    """Write a WebP file, whole or not at all."""
    tmp = f"{path}.part"
    Image.fromarray(picture).save(tmp, "WEBP", quality=quality, method=6)
    os.replace(tmp, path)
