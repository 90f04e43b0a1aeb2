"""Calls at the same time are answered in one pass, each with its own answer."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from mmdemo.encode.batching import Batcher, Busy, EmbeddingCache


def squares(items):
    return np.array([[float(item) ** 2] for item in items], np.float32)


def test_a_call_alone_is_answered_by_the_caller_itself():
    threads = []

    def work(items):
        threads.append(threading.current_thread())
        return squares(items)

    assert Batcher(work)(3).tolist() == [[9.0]] and threads == [threading.current_thread()]


def test_what_waits_while_one_is_worked_on_goes_into_one_pass_and_each_gets_its_own():
    passes, started, go = [], threading.Event(), threading.Event()

    def work(items):
        passes.append(list(items))
        started.set()
        go.wait(10)
        return squares(items)

    batch = Batcher(work, max_batch=16)
    with ThreadPoolExecutor(13) as pool:
        first = pool.submit(batch, 0)
        started.wait(10)
        rest = [pool.submit(batch, n) for n in range(1, 13)]
        while len(batch._waiting) < 12:
            time.sleep(0.001)
        go.set()
        assert first.result(10).tolist() == [[0.0]]
        assert [one.result(10)[0, 0] for one in rest] == [float(n * n) for n in range(1, 13)]
    assert passes[0] == [0] and sorted(passes[1]) == list(range(1, 13)) and len(passes) == 2


def test_no_pass_is_larger_than_it_may_be_and_nobody_is_forgotten():
    sizes = []

    def work(items):
        sizes.append(len(items))
        time.sleep(0.002)
        return squares(items)

    batch = Batcher(work, max_batch=4)
    with ThreadPoolExecutor(20) as pool:
        assert [row[0, 0] for row in pool.map(batch, range(100))] == [float(n * n) for n in range(100)]
    assert sum(sizes) == 100 and max(sizes) <= 4


def test_as_many_passes_as_may_run_beside_each_other_and_the_third_waits():
    running, most, together = [0], [0], threading.Barrier(2)

    def work(items):
        running[0] += 1
        most[0] = max(most[0], running[0])
        together.wait(10)  # broken unless two passes are here at once
        running[0] -= 1
        return squares(items)

    batch = Batcher(work, max_batch=1, slots=2)
    with ThreadPoolExecutor(4) as pool:
        assert [row[0, 0] for row in pool.map(batch, range(4))] == [0.0, 1.0, 4.0, 9.0]
    assert most == [2]


def test_one_bad_item_does_not_spoil_the_others():
    started, go = threading.Event(), threading.Event()

    def work(items):
        started.set()
        go.wait(10)
        if 7 in items:
            raise ValueError("seven")
        return squares(items)

    batch = Batcher(work)
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(batch, 1)]
        started.wait(10)
        calls += [pool.submit(batch, n) for n in (2, 7, 3)]
        while len(batch._waiting) < 3:
            time.sleep(0.001)
        go.set()
        assert [calls[n].result(10)[0, 0] for n in (0, 1, 3)] == [1.0, 4.0, 9.0]
        with pytest.raises(ValueError, match="seven"):
            calls[2].result(10)


def test_beyond_what_may_wait_and_beyond_patience_the_answer_is_busy():
    started, go = threading.Event(), threading.Event()

    def work(items):
        started.set()
        go.wait(10)
        return squares(items)

    batch = Batcher(work, max_waiting=2, timeout=1)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(batch, 1)
        started.wait(10)
        impatient = [pool.submit(batch, n) for n in (2, 3)]
        while len(batch._waiting) < 2:
            time.sleep(0.001)
        with pytest.raises(Busy, match="try again"):
            batch(4)
        assert not any(one.done() for one in impatient), "refused at once, not after waiting as they do"
        for one in impatient:
            with pytest.raises(Busy, match="try again"):
                one.result(10)
        go.set()
        assert first.result(10).tolist() == [[1.0]]
    assert not batch._waiting, "who gave up is not worked for"


def test_batched_rows_equal_single_ones(tiny_model):
    from PIL import Image

    from mmdemo.encode.embeddings import photo_embeddings, text_embeddings
    from mmdemo.encode.encoder import Encoder

    encoder = Encoder.load(tiny_model)
    texts = ["a red mug", "a very long sentence about a chair that stands in the hall", "x", "blue"]
    np.testing.assert_allclose(
        text_embeddings(encoder, texts), np.vstack([text_embeddings(encoder, [text]) for text in texts]), atol=1e-5
    )
    pictures = [Image.effect_noise((90, 60), 80 + n).convert("RGB") for n in range(4)]
    np.testing.assert_allclose(
        photo_embeddings(encoder, pictures),
        np.vstack([photo_embeddings(encoder, [one]) for one in pictures]),
        atol=1e-5,
    )


def test_many_at_once_each_have_their_row_made_once_and_remembered():
    made = []

    def work(items):
        made.extend(items)
        time.sleep(0.002)
        return squares(items)

    rows = EmbeddingCache(int, work, capacity=100, key=int)
    with ThreadPoolExecutor(20) as pool:
        for _ in range(2):
            assert [row[0, 0] for row in pool.map(lambda n: rows([n]), range(100))] == [n * n for n in range(100)]
    assert sorted(made) == list(range(100))


def test_what_was_asked_for_longest_ago_is_forgotten_first_and_several_are_one_pass():
    passes = []

    def work(items):
        passes.append(list(items))
        return squares(items)

    rows = EmbeddingCache(int, work, capacity=2, key=int)
    assert rows([1, 2, 1])[:, 0].tolist() == [1, 4, 1]
    rows([1]), rows([3]), rows([1, 2])
    assert passes == [[1, 2], [3], [2]]


def test_what_can_be_done_before_the_encoders_turn_is_done_by_whoever_asks():
    prepared, worked = [], []

    def prepare(item):
        prepared.append(threading.current_thread())
        return item + 0.5

    def work(items):
        worked.extend(items)
        return squares(items)

    rows = EmbeddingCache(prepare, work, capacity=9, key=float)
    started, go = threading.Event(), threading.Event()
    slow = EmbeddingCache(
        prepare, lambda items: (started.set(), go.wait(10), squares(items))[-1], capacity=9, key=float
    )
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(slow, [1])
        started.wait(10)
        second = pool.submit(slow, [2])
        while len(set(prepared)) < 2:
            time.sleep(0.001)
        go.set()
        assert first.result(10).tolist() == [[2.25]] and second.result(10).tolist() == [[6.25]]
    assert rows([3]).tolist() == [[12.25]] and worked == [3.5]
