"""Where the encoder, the built-in catalogue and its index lie: beside the package, or inside it once installed."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
HOME = _PACKAGE if (_PACKAGE / "assets").is_dir() else _PACKAGE.parent


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
