"""Where encoder, built-in catalogue and its index lie: beside the package, or inside it once it is installed."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
HOME = _PACKAGE if (_PACKAGE / "assets").is_dir() else _PACKAGE.parent


def at_home(path: Path | str) -> Path:
    """The path as it stands; one that is not here, but with the project (`index/default`), is that one."""
    path = Path(path)
    return path if path.exists() or not (HOME / path).is_dir() else HOME / path
