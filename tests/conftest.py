"""What all tests share: one process for reading exports back, since each new one imports torch anew."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from engine.runtime import reading_process
from engine.runtime.reading_process import Reader


@pytest.fixture(scope="session", autouse=True)
def little_to_look_through() -> None:
    """What was imported stays: then collecting after each test of the window is cheap."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def garbage_is_freed_here(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test of the window leaves behind is freed in this thread: torch collects in the thread of a later test's
    job, and Qt dies of widgets that are freed there.
    """
    yield
    if "qtbot" in request.fixturenames:
        gc.collect()


@pytest.fixture(scope="session", autouse=True)
def one_reading_process() -> Iterator[None]:
    """The process is the same, its jobs are apart; that a program uses a fresh one is tried where it matters."""
    shared: list[Reader] = []

    @contextmanager
    def opened() -> Iterator[Reader]:
        if not shared or not shared[0].is_alive:
            shared[:] = [Reader()]
        yield shared[0]

    fresh, reading_process.opened = reading_process.opened, opened
    yield
    reading_process.opened = fresh
    for reader in shared:
        reader.close()
