"""What a process sets once before it imports PyTorch, NumPy or Gradio. Importing this module changes nothing."""

import os

from mmdemo.core.upload_folder import make_folder


def bootstrap() -> None:
    """Called before PyTorch, NumPy and Gradio are imported, each of which reads its environment once.

    Gradio sends nothing to anybody, and keeps uploads in a private folder. Threads that wait for each other sleep, and
    NumPy, which has little to do here, starts none: spinning, they would take the cores from whatever else is answered
    meanwhile. A pass of the encoder has half of the cores: the rest is there for a second one, or for what goes on
    beside it. Numbers of threads that the environment gives already stay.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_TEMP_DIR"] = str(make_folder())
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 2) // 2)))
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
