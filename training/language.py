"""Give the small text tower general language: distil a sentence encoder into it.

Two steps. `teach` writes what a teacher thinks of a corpus (texts and vectors, one file); it needs `transformers`
and runs once. `distil` trains an open_clip text tower on that file alone. Neither knows anything about pictures.
`remember` writes such a file with an encoder as its own teacher, so that it learns new pictures and forgets no words.

    python training/language.py teach CATALOG... --edits edits.csv --teacher FOLDER --out teacher.npz
    python training/language.py distil teacher.npz --out FOLDER [--minutes 8]
    python training/language.py remember CATALOG... --edits edits.csv --encoder FOLDER --out teacher.npz
"""

import argparse
import gzip
import random
import re
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch
from torch.nn import functional as F

from mmdemo.catalog.query_file import query_rows
from mmdemo.core.holdout import Holdout
from mmdemo.core.vectors import normalize
from mmdemo.encode.encoder import mixed_precision
from mmdemo.encode.torchvision_shim import import_open_clip
from training import words


def vocabulary() -> list[str]:
    """Whole words of the CLIP tokeniser, commonest first."""
    path = Path(import_open_clip().__file__).parent / "bpe_simple_vocab_16e6.txt.gz"
    merges = gzip.open(path, "rt", encoding="utf-8").read().split("\n")[1 : 49152 - 256 - 2 + 1]
    tokens = ["".join(merge.split()) for merge in merges]
    return [t[:-4] for t in tokens if t.endswith("</w>") and re.fullmatch(r"[a-z]{2,}</w>", t)]


def copy_of(catalog: Path, seed: int = 0) -> tuple[list[tuple[str, str]], list[str]]:
    """(pairs of what the student and the teacher read, from the rows that training may see: captions, sentences,
    attribute phrases, Chinese copy beside its English; titles of the rows kept aside)."""
    from mmdemo.catalog.catalog import Catalog
    from mmdemo.finetune.dataset import captions, phrase

    pairs, aside, rng = [], [], np.random.default_rng(seed)
    for product in Catalog.read(catalog).products:
        if Holdout().held_out(product):
            aside.append(product.title)
            continue
        texts = captions(product) + [text for _ in range(25) if (text := phrase(product, rng)[0])]
        texts += re.split(r"(?<=[.!?])\s+", product.description.strip())
        pairs += [(text, text) for text in texts]
        for column in ("title", "description"):
            pairs.append((product.translated.get(f"{column}_zh", ""), str(product.field(column) or "")))
    return [pair for pair in dict.fromkeys(pairs) if all(map(str.strip, pair))], list(dict.fromkeys(aside))


def medleys(count: int, seed: int = 0) -> list[str]:
    """`count` strings of two to nine words of the tokeniser, common ones more often, half of them with joining words.

    They mean little, but the teacher has a vector for each: so every word is met beside others, not only by itself.
    """
    words_known, rng = np.array(vocabulary()), np.random.default_rng(seed)
    odds = 1 / (np.arange(len(words_known)) + 500) ** 0.7
    joints = ["and", "with", "of", "for", "in", "the", "a", "on", "to", "without", "or", "from", "is", "made of", ","]
    strings = []
    for length in rng.integers(2, 10, count):
        joined = 0.4 if rng.random() < 0.5 else 0.0
        pieces = [
            f"{rng.choice(joints)} {word}" if rng.random() < joined else word
            for word in rng.choice(words_known, length, p=odds / odds.sum())
        ]
        strings.append(" ".join(pieces).replace(" ,", ","))
    return strings


def phrases(count: int, seed: int = 0) -> list[tuple[str, str]]:
    """`count` generated pairs (what the student reads, what the teacher reads); about a quarter are Chinese."""
    rng = random.Random(seed)
    slots = {"c": words.COLOURS, "m": words.MATERIALS, "t": words.PATTERNS, "s": words.STYLES, "w": words.PEOPLE}
    slots = {name: words.table(lines) for name, lines in slots.items()}
    products = words.table(words.PRODUCTS)
    pairs = []
    for row in [*products, *(row for rows in slots.values() for row in rows)]:
        pairs += [(en, en) for en in row[0]] + [(zh, row[0][0]) for zh in row[1]]
    while len(pairs) < count:
        pick = {name: rng.choice(rows) for name, rows in slots.items()}
        number = rng.choice([5, 10, 15, 20, 25, 30, 40, 50, 75, 80, 99, 100, 120, 150, 200, 300, 500])
        if rng.random() < 0.2:  # an edit
            frame, other = rng.choice(words.EDITS), rng.choice(slots["c"])
            en = frame.format(**{k: rng.choice(v[0]) for k, v in pick.items()}, d=other[0][0])
            pairs.append((en, en))
            if frame in words.EDITS_ZH:
                same = frame.format(**{k: v[0][0] for k, v in pick.items()})
                pairs.append((words.EDITS_ZH[frame].format(**{k: rng.choice(v[1]) for k, v in pick.items()}), same))
            continue
        product = rng.choice(products)
        # few slots most of the time, in the order people say them
        used = [name for name, p in (("w", 0.15), ("s", 0.2), ("c", 0.6), ("t", 0.25), ("m", 0.3)) if rng.random() < p]
        if rng.random() < 0.4:
            zh = "".join(rng.choice(pick[n][1]) for n in used) + rng.choice(product[1])
            en = " ".join([pick[n][0][0] for n in used] + [product[0][0]])
            pairs.append((rng.choice(words.FRAMES_ZH).format(p=zh, n=number), en))
        else:
            noun = rng.choice(product[0])
            if rng.random() < 0.2 and not noun.endswith("s"):
                noun += "es" if noun.endswith(("sh", "ch", "x")) else "s"
            en = " ".join([rng.choice(pick[n][0]) for n in used] + [noun])
            en = rng.choice(words.FRAMES).format(p=en, n=number)
            pairs.append((en, en))
    return pairs


def corpus(catalogs: list[Path], edits: Path | None, seed: int = 0) -> tuple[list[tuple[str, str]], list[str]]:
    """((student text, teacher text) pairs without repeats, in a fixed order; titles kept aside)."""
    texts, pairs, aside = [*vocabulary(), *medleys(90_000, seed)], [], []
    for catalog in catalogs:
        learned, kept = copy_of(catalog, seed)
        pairs, aside = pairs + learned, aside + kept
    if edits:
        sentences = sorted({row["text"] for row in query_rows(edits) if row["split"] != "test"})
        texts += random.Random(seed).sample(sentences, min(len(sentences), 30_000))
    pairs += [(text, text) for text in texts if text.strip()] + phrases(60_000, seed)
    learned_texts = {text for text, _ in pairs}
    return list(dict.fromkeys(pairs)), [title for title in aside if title not in learned_texts]


def teach(pairs: list[tuple[str, str]], teacher: Path, batch: int = 128) -> np.ndarray:
    """float16 (n, d) unit vectors of the teacher's texts: mean of its last layer over the words."""
    from tqdm import tqdm
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(teacher), AutoModel.from_pretrained(teacher).eval()
    unique = sorted({text for _, text in pairs}, key=len)  # batches of like length waste no padding
    vector_of = {}
    with torch.inference_mode(), mixed_precision():
        for at in tqdm(range(0, len(unique), batch), desc="teacher"):
            texts = unique[at : at + batch]
            tokens = tokenizer(texts, padding=True, truncation=True, max_length=64, return_tensors="pt")
            hidden, mask = model(**tokens).last_hidden_state.float(), tokens["attention_mask"][..., None]
            vectors = F.normalize((hidden * mask).sum(1) / mask.sum(1), dim=-1)
            vector_of.update(zip(texts, vectors.half().numpy(), strict=True))
    return np.stack([vector_of[text] for _, text in pairs])


def remember(texts: list[str], encoder: Path, batch: int = 256) -> np.ndarray:
    """float16 (n, d) unit vectors of an encoder's own pooled text features: a teacher for its next distillation."""
    from mmdemo.encode.encoder import Encoder

    speaker = Encoder.load(encoder)
    parts = [speaker.encode_text_with_features(texts[at : at + batch])[0] for at in range(0, len(texts), batch)]
    return normalize(np.vstack(parts)).astype(np.float16)


def save(file: Path, texts: list[str], vectors: np.ndarray, learned: int) -> None:
    """Texts and their vectors in one file; only the first `learned` may be trained on."""
    np.savez(file, texts=np.frombuffer("\0".join(texts).encode(), np.uint8), vectors=vectors, learned=learned)


def load(file: Path) -> tuple[list[str], np.ndarray, int]:
    """(texts, float16 vectors, how many of them may be trained on) as `save` wrote them."""
    data = np.load(file)
    return data["texts"].tobytes().decode().split("\0"), data["vectors"], int(data["learned"])


def seed_embeddings(model, tokenizer, texts: list[str], vectors: np.ndarray) -> None:
    """Start each word's token at the teacher's vector of that word, reduced by PCA: minutes of training for free."""
    table = model.token_embedding.weight
    rows, ids = [], []
    for text, vector in zip(texts, vectors, strict=True):
        if re.fullmatch(r"[a-z]+", text):
            tokens = tokenizer.encode(text)
            if len(tokens) == 1:
                ids.append(tokens[0])
                rows.append(vector)
    x = torch.from_numpy(np.stack(rows)).float()
    x = x - x.mean(0)
    basis = torch.linalg.svd(x, full_matrices=False)[2][: table.shape[1]]
    reduced = x @ basis.T
    with torch.no_grad():
        table[torch.tensor(ids)] = reduced / reduced.std() * 0.05


def distil(
    texts: list[str],
    vectors: np.ndarray,
    out: Path,
    minutes: float,
    start: Path | None = None,
    seed: int = 0,
    batch: int = 256,
) -> float:
    """Train the text tower of mmdemo's default encoder on the teacher's vectors; the cosine on texts kept aside."""
    from tqdm import tqdm

    from mmdemo.encode.towers import text_tower
    from mmdemo.finetune.distillation import Distillation
    from mmdemo.finetune.model_folder import export, open_model

    torch.manual_seed(seed)
    model, config, tokenizer = open_model(start)
    if start is None:
        seed_embeddings(model, tokenizer, texts, vectors)
    aside = np.random.default_rng(seed).permutation(len(texts))[:1000]
    kept = np.setdiff1d(np.arange(len(texts)), aside)
    distillation = Distillation([texts[i] for i in kept], vectors[kept], model, tokenizer, seed=seed)
    if start and (start / "distillation.pt").is_file():
        distillation.map.load_state_dict(torch.load(start / "distillation.pt", weights_only=True))
    parameters = [p for name, p in model.named_parameters() if not name.startswith("visual.")] + list(
        distillation.parameters()
    )
    optimizer = torch.optim.AdamW(parameters, lr=1e-3, weight_decay=0.01, betas=(0.9, 0.98), fused=True)
    start, step, bar = time.monotonic(), 0, tqdm(total=100, desc="language", unit="%")
    while (done := (time.monotonic() - start) / 60 / minutes) < 1:
        for group in optimizer.param_groups:
            group["lr"] = 1.5e-3 * min(1, step / 100) * (0.03 + 0.97 * (1 - done))
        loss = distillation.loss(model, batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        step += 1
        bar.n = round(100 * done)
        bar.set_postfix(loss=f"{loss.item():.3f}", step=step)
    with torch.inference_mode():
        features = text_tower(model, tokenizer([texts[i] for i in aside]))[0]
        cosine = F.cosine_similarity(distillation.map(features), torch.from_numpy(vectors[aside]).float()).mean().item()
    export(model, config, out)
    torch.save(distillation.map.state_dict(), out / "distillation.pt")
    return cosine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("teach")
    one.add_argument("catalogs", nargs="*", type=Path)
    one.add_argument("--edits", type=Path)
    one.add_argument("--teacher", type=Path, required=True, help="folder of a BERT-like sentence encoder")
    one.add_argument("--out", type=Path, required=True)
    own = commands.add_parser("remember")
    own.add_argument("catalogs", nargs="*", type=Path)
    own.add_argument("--edits", type=Path)
    own.add_argument("--encoder", type=Path, required=True, help="encoder folder whose text tower is the teacher")
    own.add_argument("--most", type=int, default=36_000, help="texts, drawn at random")
    own.add_argument("--out", type=Path, required=True)
    two = commands.add_parser("distil")
    two.add_argument("teacher", type=Path)
    two.add_argument("--out", type=Path, required=True)
    two.add_argument("--start", type=Path, help="encoder folder to go on from")
    two.add_argument("--minutes", type=float, default=8)
    args = parser.parse_args()
    if args.command == "teach":
        pairs, titles = corpus(args.catalogs, args.edits)
        print(f"{len(pairs)} texts", file=sys.stderr)
        vectors = teach(pairs + [(title, title) for title in titles], args.teacher)
        save(args.out, [text for text, _ in pairs] + titles, vectors, len(pairs))
    elif args.command == "remember":
        texts = [text for text, _ in corpus(args.catalogs, args.edits)[0]]
        random.Random(0).shuffle(texts)
        texts = texts[: args.most]
        save(args.out, texts, remember(texts, args.encoder), len(texts))
    else:
        texts, vectors, learned = load(args.teacher)
        cosine = distil(texts[:learned], vectors[:learned], args.out, args.minutes, args.start)
        print(f"cosine with the teacher on texts kept aside: {cosine:.3f}")


if __name__ == "__main__":
    main()
