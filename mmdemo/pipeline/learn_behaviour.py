"""From what people did to models in an index: read, fitted, and said in its report; no person stays."""

import time
from pathlib import Path

from mmdemo.behaviour.behaviour import Behaviour
from mmdemo.behaviour.content import Content
from mmdemo.behaviour.events import read_events, rows_of_events
from mmdemo.behaviour.fit import fit_behaviour
from mmdemo.core.errors import InputError
from mmdemo.core.messages import Message
from mmdemo.core.progress import Progress, silent
from mmdemo.evaluate.report import BehaviourFigures
from mmdemo.index.product_index import ProductIndex


def learn_behaviour(
    index: ProductIndex, path: Path, seed: int = 0, progress: Progress = silent
) -> tuple[Behaviour | None, BehaviourFigures]:
    """Models of what people did with an index's products, and what the report says of them.

    A file that cannot be read is one note, since a catalogue can do without.
    """
    progress(0, 1, "reading what people did")
    started = time.perf_counter()
    try:
        events, notes = read_events(path, rows_of_events(index.products))
    except InputError as error:
        note = Message("nothing is learnt from what people did: {reason:clause}", reason=error.message)
        return index.behaviour, BehaviourFigures(notes=[note])
    texts = [p.text for p in index.products]
    content = Content().fit(index.image, index.text, texts)
    rows = content.rows(index.image, index.text, texts)
    behaviour, judged = fit_behaviour(events, content, rows, seed, progress)
    return behaviour, BehaviourFigures(
        notes=list(notes),
        events=len(events),
        people=events.people,
        products=int((events.counts > 0).sum()),
        answers=behaviour.answers,
        seconds=time.perf_counter() - started,
        judged=judged.people,
        rankers=dict(judged.rankers),
    )
