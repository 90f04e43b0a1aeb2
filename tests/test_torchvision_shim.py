import torch

from mmdemo.encode import torchvision_shim as shim


def test_torchvision_imports_and_resizes():
    shim.import_open_clip()
    import torchvision.transforms.functional as F

    assert F.resize(torch.zeros(3, 8, 6), [4, 3]).shape == (3, 4, 3)


def test_library_that_opens_is_loaded(monkeypatch, tmp_path):
    opened = []
    monkeypatch.setattr(torch.ops, "load_library", opened.append)
    assert shim.ensure_operators(tmp_path / "_C.so") == "loaded"
    assert opened == [str(tmp_path / "_C.so")]


def test_library_that_does_not_open_is_declared(tmp_path, monkeypatch):
    broken = tmp_path / "_C.so"
    broken.write_bytes(b"not a library")
    defined = []
    monkeypatch.setattr(torch.library.Library, "define", lambda _, schema: defined.append(schema))
    monkeypatch.setattr(shim, "declared", lambda name: False)
    assert shim.ensure_operators(broken) == "declared"
    assert [schema.split("(")[0] for schema in defined] == ["nms", "qnms"]


def test_operators_are_declared_once(tmp_path):
    (tmp_path / "_C.so").write_bytes(b"not a library")
    for _ in range(2):  # a second definition of the same operator would raise
        assert shim.ensure_operators(tmp_path / "_C.so") == "declared"
        assert shim.declared("nms") and shim.declared("qnms") and not shim.declared("no_such_operator")


def test_without_torchvision_nothing_happens(monkeypatch):
    monkeypatch.setattr(shim, "library_path", lambda: None)
    assert shim.ensure_operators() == "absent"
