"""What the app imports before its first answer, and what it leaves for those who need it."""

import os
import subprocess
import sys
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
HEAVY = ("matplotlib", "sklearn", "ir_measures", "captum", "torch._dynamo")
PROGRAM = f"""
import sys
import mmdemo.ui.server
from mmdemo.encode.encoder import Encoder
from mmdemo.encode.embeddings import photo_embeddings, text_embeddings
from PIL import Image
encoder = Encoder.load("assets/encoder")
text_embeddings(encoder, ["a mug"]), photo_embeddings(encoder, [Image.new("RGB", (64, 64), "red")])
print([name for name in {HEAVY!r} if name in sys.modules])
import torch._dynamo
print(torch._dynamo.is_compiling())
"""


def test_the_first_answer_waits_for_no_import_that_it_does_not_need_and_the_compiler_is_there_for_others():
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=HOME, capture_output=True, text=True)
    assert done.stdout.split("\n")[:2] == ["[]", "False"], done.stdout + done.stderr


def test_the_command_line_explains_itself_and_refuses_a_table_before_it_imports_what_only_a_build_needs(tmp_path):
    (tmp_path / "products.csv").write_text("id,image,name_of_it\n1,a.png,Mug\n", encoding="utf-8")
    program = """if True:
        import sys
        from mmdemo.cli import main
        for command in (["--help"], ["build", sys.argv[1], "--out", sys.argv[1] + "/index"]):
            try:
                main(command)
            except SystemExit as end:
                heavy = ("rich", "tqdm", "torch", "open_clip", "gradio", "scipy", "faiss", "matplotlib")
                print(end.code, [name for name in heavy if name in sys.modules])"""
    done = subprocess.run([sys.executable, "-c", program, tmp_path], cwd=HOME, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "1 []" and "\n0 []\n" in done.stdout, done.stdout + done.stderr
    assert "has no column 'title'" in done.stderr


def test_the_apps_threads_sleep_while_they_wait_and_leave_half_of_the_cores_unless_somebody_wants_it_otherwise():
    """Those that spin take the cores from whatever else is answered meanwhile."""
    program = """if True:
        import os, runpy, sys, types
        names, sys.argv = sys.argv[1:], ["app.py"]
        class Watcher:
            def find_spec(name, *rest):
                if name in ("numpy", "torch"):
                    print(*(os.environ.get(name) for name in names))
                    os._exit(0)
        sys.meta_path.insert(0, Watcher)
        runpy.run_path("app.py", run_name="__main__")"""
    names = ("OMP_WAIT_POLICY", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
    env = {name: value for name, value in os.environ.items() if name not in names}
    half = max(1, (os.cpu_count() or 2) // 2)
    for own, wanted in (((), f"PASSIVE 1 {half}"), (("ACTIVE", "2", "3"), "ACTIVE 2 3")):
        given = env | dict(zip(names, own, strict=False))
        command = [sys.executable, "-c", program, *names]
        said = subprocess.run(command, cwd=HOME, env=given, capture_output=True, text=True)
        assert said.stdout == f"{wanted}\n", said.stdout + said.stderr
