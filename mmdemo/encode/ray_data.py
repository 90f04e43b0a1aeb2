"""Encode a catalogue on many machines with Ray Data, as the same shards that one machine writes.

Every machine sees the catalogue and the index folder under the same path (a shared file system). The machine that
builds has written down what is encoded, and how; a shard that exists is never encoded again.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmdemo.catalog.catalog import Catalog
from mmdemo.core.errors import InputError
from mmdemo.encode import embed
from mmdemo.encode.encoder import Encoder
from mmdemo.encode.tuning import load_or_tune


class _Worker:
    """A Ray actor: it stays on one machine and loads the encoder once."""

    def __init__(self, catalog: Any, load: Callable[[], Encoder], work: str) -> None:
        import ray

        self.catalog, self.work = ray.get(catalog[0]), Path(work)
        self.setting, self.encoder = load_or_tune(load(), self.catalog, self.work / "setting.json")

    def __call__(self, shard: dict[str, Any]) -> dict[str, Any]:
        with self.setting.threads_set():
            embed.write_shard(self.work, self.catalog, int(shard["start"]), int(shard["stop"]), self.encoder)
        return shard


def ray_shard_writer(address: str, load: Callable[[], Encoder]) -> embed.ShardWriter:
    """For `embed(shard_writer=)`: lets the Ray cluster at `address` write the shards that are missing.

    "local" starts Ray on this machine for as long as it is needed; "auto" is the cluster that this machine belongs to.
    `load` gives a worker its encoder. Raises InputError without Ray, or where no cluster answers.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no usage reports
    try:
        import ray
        import ray.data
    except ModuleNotFoundError:
        raise InputError("encoding on many machines needs Ray: pip install -r requirements-ray.txt") from None

    def write_shards(catalog: Catalog, work: Path) -> None:
        missing = [start for start in embed.shard_starts(catalog) if not embed.shard_path(work, start).exists()]
        if not missing:
            return
        started_here = not ray.is_initialized()
        if started_here:
            try:
                ray.init(address, include_dashboard=False, log_to_driver=False, logging_level="error")
            except (ConnectionError, ValueError, RuntimeError) as e:
                raise InputError(
                    "no Ray cluster answers at '{address}' ({reason})", address=address, reason=str(e)[:120]
                ) from None
        try:
            _run(ray, catalog, work, missing, load)
        finally:
            if started_here:
                ray.shutdown()

    return write_shards


def _run(ray: Any, catalog: Catalog, work: Path, missing: list[int], load: Callable[[], Encoder]) -> None:
    ray.data.DataContext.get_current().enable_progress_bars = False
    workers = max(1, min(len(missing), int(ray.cluster_resources().get("CPU", 1))))
    shards = [{"start": start, "stop": start + embed.SHARD} for start in missing]
    written = ray.data.from_items(shards, override_num_blocks=len(shards)).map(
        _Worker,
        fn_constructor_args=([ray.put(catalog)], load, str(work.resolve())),
        compute=ray.data.ActorPoolStrategy(size=workers),
        num_cpus=1,
        num_gpus=1 if ray.cluster_resources().get("GPU") else 0,
    )
    written.materialize()
