"""Save and load the pretrained head that ships with an encoder: trained on several shops, a start for any other.

It has learnt what "in blue" means. `training/general.py` trains it and `fit` starts from it. It belongs to one encoder,
whose weights it names.
"""

from pathlib import Path

from safetensors import safe_open

from mmdemo.core.paths import at_home
from mmdemo.encode.encoder import Encoder
from mmdemo.fusion.heads import Trained, load_head, save_head

PRETRAINED = "head.safetensors"


def save_pretrained(head: Trained, path: Path, encoder: Encoder) -> None:
    """Write a head as the pretrained one of this encoder."""
    save_head(head, path, encoder=encoder.weights_hash)


def pretrained_head(encoder: Encoder) -> Trained | None:
    """The pretrained head beside an encoder's weights; None where there is none, or where it names other weights.

    Raises InputError for a file that is not a head.
    """
    path = at_home(encoder.spec.removeprefix("local-dir:")) / PRETRAINED
    if not path.is_file():
        return None
    head = load_head(path)
    with safe_open(path, "pt") as f:
        trained_for = (f.metadata() or {}).get("encoder")
    return head if isinstance(head, Trained) and trained_for == encoder.weights_hash else None
