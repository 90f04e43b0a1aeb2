"""Where encoder, built-in catalogue and its index lie: beside the package, or inside it once it is installed.

And how the app is at home on a machine: it shares the cores.
"""

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
HOME = _PACKAGE if (_PACKAGE / "assets").is_dir() else _PACKAGE.parent


def share_cores() -> None:
    """Called before PyTorch and NumPy are imported, which read this once; what the environment says stays.

    Threads that wait for each other sleep, and NumPy, which has little to do here, starts none. Spinning, they take the
    cores from whatever else is answered meanwhile. A pass of the encoder has half of the cores: the rest is there for a
    second one, or for what goes on beside it.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 2) // 2)))
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def at_home(path: Path | str) -> Path:
    """The path as it stands; one that is not here, but with the project (`index/default`), is that one."""
    path = Path(path)
    return path if path.exists() or not (HOME / path).is_dir() else HOME / path


def encoder_spec(spec: str) -> str:
    """How a manifest writes an encoder down: a folder inside the project stays relative to it."""
    folder = Path(spec)
    if not folder.is_dir():
        return spec
    full = folder.resolve()
    return full.relative_to(HOME).as_posix() if full.is_relative_to(HOME) else str(full)


def resolve_spec(spec: str) -> str:
    """The other way: relative folders are looked up from the project's home when not here."""
    return str(at_home(spec)) if not Path(spec).is_dir() else spec
