"""A catalogue encoded on many machines by Ray Data: the same shards, by the same code, written by whoever is free.

Every machine sees the catalogue and the index folder under the same path (a shared file system). What is encoded, and
how, was written down by the machine that builds; a shard that is there is never made again.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmdemo import embed
from mmdemo.catalog import Catalog
from mmdemo.encoder import Encoder
from mmdemo.errors import InputError
from mmdemo.tuning import tuned


class _Worker:
    """Lives on one machine, its encoder loaded once."""

    def __init__(self, catalog: Any, load: Callable[[], Encoder], work: str) -> None:
        import ray

        self.catalog, self.work = ray.get(catalog[0]), Path(work)
        self.setting, self.encoder = tuned(load(), self.catalog, self.work / "setting.json")

    def __call__(self, shard: dict[str, Any]) -> dict[str, Any]:
        with self.setting.threads_set():
            embed.write_shard(self.work, self.catalog, int(shard["start"]), int(shard["stop"]), self.encoder)
        return shard


def spread(address: str, load: Callable[[], Encoder]) -> Callable[[Catalog, Path], None]:
    """For `embed(elsewhere=)`: has the shards that are missing written by the Ray cluster at `address`.

    "local" starts one of this machine's cores, for as long as it is needed; "auto" is the one that this machine is
    part of. `load` gives a worker its encoder. Raises InputError without Ray, or where no cluster answers.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is reported to anybody
    try:
        import ray
        import ray.data
    except ModuleNotFoundError:
        raise InputError("encoding on many machines needs Ray: pip install -r requirements-ray.txt") from None

    def elsewhere(catalog: Catalog, work: Path) -> None:
        starts = range(0, len(catalog), embed.SHARD)
        missing = [s for s in starts if not (work / f"{s:09d}.safetensors").exists()]
        if not missing:
            return
        began = not ray.is_initialized()
        if began:
            try:
                ray.init(address, include_dashboard=False, log_to_driver=False, logging_level="error")
            except (ConnectionError, ValueError, RuntimeError) as e:
                raise InputError(f"no Ray cluster answers at '{address}' ({str(e)[:120]})") from None
        try:
            _run(ray, catalog, work, missing, load)
        finally:
            if began:
                ray.shutdown()

    return elsewhere


def _run(ray: Any, catalog: Catalog, work: Path, missing: list[int], load: Callable[[], Encoder]) -> None:
    ray.data.DataContext.get_current().enable_progress_bars = False
    workers = max(1, min(len(missing), int(ray.cluster_resources().get("CPU", 1))))
    shards = [{"start": start, "stop": start + embed.SHARD} for start in missing]
    done = ray.data.from_items(shards, override_num_blocks=len(shards)).map(
        _Worker,
        fn_constructor_args=([ray.put(catalog)], load, str(work.resolve())),
        compute=ray.data.ActorPoolStrategy(size=workers),
        num_cpus=1,
        num_gpus=1 if ray.cluster_resources().get("GPU") else 0,
    )
    done.materialize()
