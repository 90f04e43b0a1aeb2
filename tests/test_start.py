"""What the app imports before its first answer, and what it leaves for those who need it."""

import os
import subprocess
import sys
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
HEAVY = ("matplotlib", "sklearn", "ir_measures", "captum", "torch._dynamo")
PROGRAM = f"""
import sys
import mmdemo.ui
from mmdemo.encoder import Encoder
from mmdemo.embed import image_rows, text_rows
from PIL import Image
encoder = Encoder.load("assets/encoder")
text_rows(encoder, ["a mug"]), image_rows(encoder, [Image.new("RGB", (64, 64), "red")])
print([name for name in {HEAVY!r} if name in sys.modules])
import torch._dynamo
print(torch._dynamo.is_compiling())
"""


def test_the_first_answer_waits_for_no_import_that_it_does_not_need_and_the_compiler_is_there_for_others():
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=HOME, capture_output=True, text=True)
    assert done.stdout.split("\n")[:2] == ["[]", "False"], done.stdout + done.stderr


def test_the_apps_threads_sleep_while_they_wait_and_leave_half_of_the_cores_unless_somebody_wants_it_otherwise():
    """Those that spin take the cores from whatever else is answered meanwhile."""
    program = "import app, os, sys; print(*(os.environ[name] for name in sys.argv[1:]))"
    program += "; print('torch' in sys.modules or 'numpy' in sys.modules)"
    names = ("OMP_WAIT_POLICY", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
    env = {name: value for name, value in os.environ.items() if name not in names}
    half = max(1, (os.cpu_count() or 2) // 2)
    for own, wanted in (((), f"PASSIVE 1 {half}"), (("ACTIVE", "2", "3"), "ACTIVE 2 3")):
        given = env | dict(zip(names, own, strict=False))
        command = [sys.executable, "-c", program, *names]
        said = subprocess.run(command, cwd=HOME, env=given, capture_output=True, text=True)
        assert said.stdout.split("\n")[:2] == [wanted, "False"], said.stdout + said.stderr
