"""Each patch of Gradio: unpatched it still shows the fault (else the patch can go), and patched it does not."""

import inspect
from asyncio import Queue as AsyncQueue
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import gradio as gr
import gradio.blocks
import gradio.queueing
import pytest
from gradio.queueing import Queue
from gradio.server_messages import ProcessCompletedMessage
from gradio.state_holder import SessionState

from mmdemo.serve import gradio_patches
from mmdemo.serve.translation import language

FRONTEND = Path(gradio.__file__).parent / "templates" / "frontend"


@pytest.fixture
def page():
    with gradio_patches.no_server_yet(), gr.Blocks() as page:
        box = gr.Textbox()
        box.change(lambda _: language(), box, box, api_visibility="private")
    return page


def test_the_patches_are_for_the_installed_version():
    assert gr.__version__ == gradio_patches.MADE_FOR


def test_sessions_write_the_settings_of_every_component_down(page, monkeypatch):
    assert SessionState(page).config_values, "Gradio no longer does: sessions_without_settings can go"
    for name in ("__init__", "_update_config", "_update_value_in_config"):
        monkeypatch.setattr(SessionState, name, getattr(SessionState, name))  # is put back after the test
    gradio_patches.sessions_without_settings()
    assert not SessionState(page).config_values


def test_a_server_is_made_for_each_stage_of_a_page():
    def servers() -> int:
        with patch.object(gradio.blocks.App, "create_app", wraps=gradio.blocks.App.create_app) as create:
            with gr.Blocks() as page:
                gr.Textbox()
            page.queue()
        return create.call_count

    assert servers() > 0, "Gradio no longer does: no_server_yet can go"
    with gradio_patches.no_server_yet(), gr.Blocks() as page:
        gr.Textbox()
    assert getattr(page, "app", None) is None


def test_a_start_is_refused_where_the_own_page_does_not_answer():
    launch = inspect.getsource(gr.Blocks.launch)
    assert "if _frontend and not networking.url_ok(" in launch, "Gradio no longer does: unvisited can go"
    with gradio_patches.unvisited():
        assert gradio.blocks.networking.url_ok("http://127.0.0.1:1/")


def test_gradio_has_no_chinese_for_complete():
    chinese = "".join(path.read_text("utf-8") for path in (FRONTEND / "assets").glob("zh-CN-*.js"))
    common = chinese[chinese.index("common") :][:3000]
    assert "complete:" not in common, "Gradio knows the word now: missing_words can go"
    assert gradio_patches.missing_words().translations_dict["zh-CN"]["common.complete"] == "完成"


def test_every_page_is_called_english():
    html = (FRONTEND / "index.html").read_text("utf-8")
    assert html.count('lang="en"') == 1 and "<head>" in html, "Gradio no longer does: look at in_language"


def test_a_full_queue_speaks_of_its_size():
    assert "Queue is full. Max size is" in inspect.getsource(gradio.queueing), "look at with_plain_busy"


def test_handlers_are_told_no_language(page):
    handler = next(iter(page.fns.values()))
    assert handler.fn("") == "en", "Gradio hands the language over now: speak can go"
    gradio_patches.speak(page, "zh", dict)
    assert handler.fn("") == "zh"


def test_answers_that_nobody_fetches_are_kept_for_ever(page, monkeypatch):
    def asked(queue: Queue, session: str, answer: str) -> None:
        event = SimpleNamespace(_id=f"{session} {answer}", session_hash=session, alive=True)
        if session not in queue.pending_messages_per_session:
            queue.pending_messages_per_session[session] = AsyncQueue()
        queue.pending_event_ids_session.setdefault(session, set()).add(event._id)
        queue.send_message(event, ProcessCompletedMessage(output={"data": [answer]}, success=True))

    def left(ask) -> dict[str, int]:
        with gradio_patches.no_server_yet():
            page.queue()
        ask(page._queue)
        assert page._queue.pending_messages_per_session.keys() == page._queue.pending_event_ids_session.keys()
        return {session: held.qsize() for session, held in page._queue.pending_messages_per_session.items()}

    def twenty(queue: Queue) -> None:
        for number in range(20):
            asked(queue, f"session {number}", "x" * 100)

    assert len(left(twenty)) == 20, "Gradio no longer does: answers_for_a_while can go"
    for name in ("send_message", "compute_analytics_summary"):
        monkeypatch.setattr(Queue, name, getattr(Queue, name))  # is put back after the test
    gradio_patches.answers_for_a_while()
    monkeypatch.setattr(gradio_patches, "UNFETCHED", 3)
    assert list(left(twenty)) == ["session 17", "session 18", "session 19"]
    monkeypatch.setattr(gradio_patches, "UNFETCHED_BYTES", 300)
    assert list(left(twenty)) == ["session 18", "session 19"]
    assert left(lambda queue: [asked(queue, "one", f"answer {number}") for number in range(4)]) == {}

    def fetched(queue: Queue) -> None:
        for number in range(20):
            asked(queue, "reader", str(number))
            queue.pending_event_ids_session["reader"].clear()  # as Gradio does for an answer that is delivered
        asked(queue, "last", "answer")

    assert set(left(fetched)) == {"reader", "last"}, "whoever fetches answers loses nothing"
    held = gradio_patches.Unfetched(page._queue)
    held.add(SimpleNamespace(_id="last answer", session_hash="last", alive=True), 1, now=0.0)
    page._queue.pending_event_ids_session["new"] = {"n"}
    held.add(SimpleNamespace(_id="n", session_hash="new", alive=True), 1, now=gradio_patches.UNFETCHED_SECONDS + 1)
    assert "last" not in page._queue.pending_messages_per_session
