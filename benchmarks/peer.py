"""PYTHON benchmarks/peer.py FOLDER [WORKERS]: clip-retrieval's inference over a folder of pictures, timed.

Runs in an environment of its own (`pip install clip-retrieval "setuptools<70"`): its reader, mapper and writer as they
are, in float32, with the batch of 32 that its rivals here have. Only the weights are random, since nothing is
downloaded. Prints one JSON line: pictures and the seconds of its loop, its model loaded before.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
sys.path[0] = str(HOME)
from mmdemo.encode.torchvision_shim import import_open_clip  # noqa: E402  (found by the line above)


def main() -> None:
    open_clip = import_open_clip()
    import torch
    from clip_retrieval.clip_inference import mapper  # type: ignore[import-not-found]
    from clip_retrieval.clip_inference.reader import FilesReader  # type: ignore[import-not-found]
    from clip_retrieval.clip_inference.writer import NumpyWriter  # type: ignore[import-not-found]

    torch.manual_seed(0)
    model, _, preprocess = open_clip.create_model_and_transforms("ViT-B-32")
    loaded = model.eval(), preprocess, open_clip.get_tokenizer("ViT-B-32")
    mapper.load_clip = lambda **_: loaded
    folder, workers = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 4
    which = {"enable_text": False, "enable_image": True, "enable_metadata": False}
    reader = FilesReader(lambda keys: keys, loaded[1], loaded[2], folder, 32, workers, **which)
    made = mapper.ClipMapper(**which, use_mclip=False, clip_model="", use_jit=False, mclip_model="")
    with tempfile.TemporaryDirectory() as out:
        writer = NumpyWriter(0, out, **which, output_partition_count=1)
        began, pictures = time.perf_counter(), 0
        for batch in reader:
            writer(made(batch))
            pictures += len(batch["image_tensor"])
        writer.flush()
        print(json.dumps({"pictures": pictures, "seconds": time.perf_counter() - began}))


if __name__ == "__main__":
    main()
