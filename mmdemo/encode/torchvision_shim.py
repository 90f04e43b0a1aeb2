"""Import open_clip where torchvision is built for CUDA and torch is not, and without torch's compiler.

PyPI's torchvision is linked against CUDA. Where torch is a CPU build its `_C.so` cannot be opened, the custom
operators are never declared, and importing torchvision fails with "operator torchvision::nms does not exist".
This project only uses its picture transforms, so declaring the two operators that the import looks up is enough.

torchvision and timm also touch torch's compiler, for operators that are not used here; importing the compiler takes
longer than importing torch. So a stand-in answers them that there is nothing to compile. Importing this module changes
nothing: `import_open_clip` does, the first time that it is called.
"""

import contextlib
import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import torch

SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
_kept: list[torch.library.Library] = []  # a Library that is collected takes its operators with it


def library_path() -> Path | None:
    """Where torchvision keeps its compiled operators, found without importing it (None: not installed)."""
    spec = importlib.util.find_spec("torchvision")
    if spec is None or not spec.origin:
        return None
    return next(iter(sorted(Path(spec.origin).parent.glob("_C*.so"))), None)


def declared(name: str) -> bool:
    """Whether the operator torchvision::`name` has a schema."""
    return hasattr(torch.ops.torchvision, name)


def ensure_operators(path: Path | None = None) -> str:
    """Load torchvision's operators, or declare what its import needs; returns "loaded", "declared" or "absent"."""
    path = path or library_path()
    if path is None:
        return "absent"
    try:
        torch.ops.load_library(str(path))
        return "loaded"
    except OSError:
        library = torch.library.Library("torchvision", "FRAGMENT")
        for name, schema in SCHEMAS.items():
            if not declared(name):
                library.define(schema)
        _kept.append(library)
        return "declared"


def import_without_compiler() -> None:
    """Import torchvision and timm with a stand-in for `torch._dynamo`; a later import gets the real one."""
    names = "torch._dynamo", "torch._dynamo.utils"
    if "timm" in sys.modules or names[0] in sys.modules:
        return
    dynamo, utils = modules = [cast(Any, ModuleType(name)) for name in names]
    dynamo.disable = lambda fn=None, *_, **__: fn if fn is not None else dynamo.disable
    utils.is_compile_supported = lambda device_type: False
    sys.modules.update(zip(names, modules, strict=True))
    with contextlib.suppress(AttributeError, ImportError):  # a version that asks for more has to wait for the real one
        import timm  # type: ignore[import-untyped]  # noqa: F401  (and, with it, torchvision)
    for name in names:
        del sys.modules[name]


@cache
def import_open_clip() -> Any:
    """The module `open_clip`, with torchvision made to work before it."""
    if ensure_operators() != "absent":
        import_without_compiler()
    import open_clip

    return open_clip
