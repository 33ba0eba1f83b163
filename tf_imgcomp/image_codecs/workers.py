"""Threads that code the tiles of images."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any

AT_ONCE = 3


class Workers:
    """Runs jobs in threads; the caller's thread only waits, so that it can be stopped.

    Several callers, each with an image in a thread of its own, share these threads.

    Args:
        threads: int. Threads of TensorFlow; None: one for each core. As many jobs run
            at once, but at most `AT_ONCE`, because each takes memory.
        progress: wraps the tiles of an image that has several.
    """

    def __init__(
        self,
        threads: int | None = None,
        progress: Callable[[Iterable], Iterable] = iter,
    ):
        self.threads = min(threads or os.cpu_count() or 1, AT_ONCE)
        self._progress = progress
        self._executor = ThreadPoolExecutor(self.threads)

    def progress(self, tiles: Sequence) -> Iterable:
        """The tiles, their progress shown if there are several."""
        return self._progress(tiles) if len(tiles) > 1 else tiles

    @contextmanager
    def started(self) -> Iterator[_Jobs]:
        """Context in which jobs can be submitted; all are done at its end.

        After an error of a job, or in the block, waiting jobs are cancelled, and the
        end does not wait for running ones.
        """
        jobs = _Jobs(self._executor, self.threads)
        try:
            yield jobs
            jobs.finish()
        finally:
            jobs.cancel()

    def map(self, work: Callable[[int], Any], tiles: Sequence[int]) -> list:
        """The results of `work(tile)` for each of the tiles, in their order."""
        with self.started() as jobs:
            results = [jobs.submit(work, tile) for tile in self.progress(tiles)]
        return [result.result() for result in results]


class _Jobs:
    """Submits jobs to an executor, as many as can run at once."""

    def __init__(self, executor: ThreadPoolExecutor, limit: int):
        self._executor, self._limit = executor, limit
        self._running: set[Future] = set()

    def submit(self, work: Callable[..., Any], *arguments: Any) -> Future:
        """Starts a job once a thread is free.

        It may wait for the result of a job that was submitted before.

        Raises:
            Exception: That of an earlier job.
        """
        while len(self._running) >= self._limit:
            self._wait()
        future = self._executor.submit(work, *arguments)
        self._running.add(future)
        return future

    def finish(self) -> None:
        """Waits for all jobs. Raises as `submit` does."""
        while self._running:
            self._wait()

    def cancel(self) -> None:
        """Cancels the jobs that wait."""
        for future in self._running:
            future.cancel()

    def _wait(self) -> None:
        done, self._running = wait(self._running, return_when=FIRST_COMPLETED)
        for future in done:
            future.result()
