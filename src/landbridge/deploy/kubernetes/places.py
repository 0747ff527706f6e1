"""What of a feed does not fit a pod: folders that no volume brings, waiting that outlasts the job's deadline?"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from landbridge.feed.inputs import FileReady, FilesSource
from landbridge.feed.outputs import FolderPlace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landbridge.cluster import Kubernetes
    from landbridge.feed import Feed

_A_DAY = timedelta(days=1)


def stranded(feed: Feed, cluster: Kubernetes) -> Iterator[tuple[str, str]]:
    """Give key and path of each folder that the feed reads or fills and that no declared volume brings.

    A path that comes out of a Secret cannot be judged, and passes.
    """
    for key, declared in folders(feed):
        path = declared
        if declared.startswith("env:"):
            value = cluster.environment.get(declared.removeprefix("env:"), "")
            if not isinstance(value, str):
                continue
            path = value
        if not any(path == volume.path or path.startswith(f"{volume.path}/") for volume in cluster.volumes):
            yield key, path


def longest_wait(feed: Feed) -> timedelta:
    """Give how long a run may wait for its upstream: `until` is a time of the same day."""
    ready = feed.schedule.ready
    if ready is None:
        return timedelta()
    if ready.limit is not None:
        return ready.limit
    minute, hour = feed.schedule.cron.split()[:2]
    if ready.until and minute.isdigit() and hour.isdigit():
        until_hour, until_minute = map(int, ready.until.split(":"))
        return timedelta(hours=until_hour - int(hour), minutes=until_minute - int(minute))
    return _A_DAY


def folders(feed: Feed) -> Iterator[tuple[str, str]]:
    """Give key and path of each folder (not S3) that the feed reads or fills."""
    for name, source in feed.sources.items():
        if isinstance(source, FilesSource) and not source.path.startswith("s3://"):
            yield f"sources.{name}.path", source.path
    ready = feed.schedule.ready
    if ready and isinstance(ready.signal, FileReady) and not ready.signal.path.startswith("s3://"):
        yield "schedule.ready.signal.path", ready.signal.path
    for further in feed.file.also_to:
        if isinstance(further, FolderPlace):
            yield "file.also_to", further.path
