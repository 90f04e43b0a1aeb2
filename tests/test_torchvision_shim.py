import subprocess
import sys

import torch

from mmdemo import torchvision_shim as shim


def test_torchvision_imports_and_resizes():
    import torchvision.transforms.functional as F

    assert shim.STATE in ("loaded", "declared")
    assert F.resize(torch.zeros(3, 8, 6), [4, 3]).shape == (3, 4, 3)


def test_library_that_opens_is_loaded(monkeypatch, tmp_path):
    opened = []
    monkeypatch.setattr(torch.ops, "load_library", opened.append)
    assert shim.ensure_operators(tmp_path / "_C.so") == "loaded"
    assert opened == [str(tmp_path / "_C.so")]


def test_library_that_does_not_open_is_declared(tmp_path):
    """In a process of its own, since operators cannot be taken back."""
    broken = tmp_path / "_C.so"
    broken.write_bytes(b"not a library")
    code = f"""
from pathlib import Path
import torch
from mmdemo import torchvision_shim as shim
shim.library_path = lambda: Path({str(broken)!r})
assert shim.ensure_operators(Path({str(broken)!r})) == "declared"
assert shim.declared("nms") and shim.declared("qnms") and not shim.declared("no_such_operator")
assert shim.ensure_operators(Path({str(broken)!r})) == "declared"  # a second call changes nothing
import torchvision
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_torchvision_nothing_happens(monkeypatch):
    monkeypatch.setattr(shim, "library_path", lambda: None)
    assert shim.ensure_operators() == "absent"
