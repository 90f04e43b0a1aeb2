"""Two single-threaded workers instead of one with two threads: they meet once a step, not at every layer.

On a machine that others use too, threads that wait for each other inside every convolution lose most of their time.
Each worker draws batches of its own; gradients are averaged before each update, so all take the same steps.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from torch import distributed
from torch.optim.optimizer import register_optimizer_step_pre_hook


def start(rank: int, count: int, meeting: str) -> list[subprocess.Popen]:
    """Join worker `rank` of `count` through the file `meeting` ("" for the first, which starts the others)."""
    others = []
    torch.set_num_threads(1)
    if rank == 0:
        meeting = str(Path(tempfile.mkdtemp()) / "meeting")
        others = [
            subprocess.Popen([sys.executable, *sys.argv, "--rank", str(i), "--meeting", meeting])
            for i in range(1, count)
        ]
    distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=count)
    first = [True]

    def average(optimizer: torch.optim.Optimizer, *_) -> None:
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        if first.pop() if first else False:
            for p in parameters:
                distributed.broadcast(p.data, 0)
        # one message: every gradient (absent ones as zero, so that all messages are alike) and the learning rates
        rates = torch.tensor([group["lr"] for group in optimizer.param_groups])
        parts = [
            p.grad.flatten() if p.grad is not None else torch.zeros(p.numel()) for p in parameters if p.requires_grad
        ]
        flat = torch.cat([*parts, rates])
        distributed.all_reduce(flat)
        flat /= count
        at = 0
        for p in parameters:
            if p.grad is not None:
                p.grad.copy_(flat[at : at + p.numel()].view_as(p))
            at += p.numel()
        for group, rate in zip(optimizer.param_groups, flat[at:], strict=True):
            group["lr"] = rate.item()

    register_optimizer_step_pre_hook(average)
    return others
