"""Make `import torchvision` work beside a CPU build of torch.

PyPI's torchvision is linked against CUDA. Where torch is a CPU build its `_C.so` cannot be opened, the custom
operators are never declared, and importing torchvision fails with "operator torchvision::nms does not exist".
This project only uses its picture transforms, so declaring the two operators that the import looks up is enough.
Import this module before the first import of torchvision, timm or open_clip.
"""

import importlib.util
from pathlib import Path

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


STATE = ensure_operators()
