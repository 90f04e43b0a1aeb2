"""The general head that ships with an encoder: learnt on several shops, it knows what "in blue" means in any of them.

`training/general.py` makes it; `fit` starts from it. It belongs to one encoder, whose weights it names.
"""

from pathlib import Path

from safetensors import safe_open

from mmdemo.encoder import Encoder
from mmdemo.fusion import Trained, load_head, save_head
from mmdemo.home import at_home

GENERAL = "head.safetensors"


def save_general(head: Trained, path: Path, encoder: Encoder) -> None:
    """Write a head as the general one of this encoder."""
    save_head(head, path, encoder=encoder.weights_hash)


def general_head(encoder: Encoder) -> Trained | None:
    """The general head beside an encoder's weights; None where there is none, or where it belongs to other weights.

    Raises InputError for a file that is no head.
    """
    path = at_home(encoder.spec.removeprefix("local-dir:")) / GENERAL
    if not path.is_file():
        return None
    head = load_head(path)
    with safe_open(path, "pt") as f:
        belongs = (f.metadata() or {}).get("encoder")
    return head if isinstance(head, Trained) and belongs == encoder.weights_hash else None
