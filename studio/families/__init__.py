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
    "bowl",
    "plate",
    "tumbler",
    "casserole",
    "candle",
    "jug",
    "clock",
    "frame",
    "pendant",
    "floorlamp",
    "table",
    "storage",
    "basket",
    "rug",
    "throw",
    "suitcase",
    "backpack",
    "belt",
    "hat",
    "scarf",
    "umbrella",
    "sandal",
    "boot",
    "sunglasses",
    "toy",
    "sweater",
    "trousers",
    "skirt",
)


def families() -> dict[str, Family]:
    """The families by key, in catalogue order."""
    loaded = (import_module(f"{__name__}.{name}").FAMILY for name in NAMES)
    return {family.key: family for family in loaded}
