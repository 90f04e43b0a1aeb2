"""All families of the catalogue, one module each."""

from importlib import import_module

from ..model import Family

NAMES = (
    "mug",
    "vase",
    "teapot",
    "lamp",
    "chair",
    "stool",
    "cushion",
    "tshirt",
    "tote",
    "sneaker",
    "headphones",
    "beanie",
    "planter",
    "handbag",
    "sofa",
    "dress",
    "watch",
    "bottle",
)


def families() -> dict[str, Family]:
    """The families by key, in catalogue order."""
    loaded = (import_module(f"{__name__}.{name}").FAMILY for name in NAMES)
    return {family.key: family for family in loaded}
