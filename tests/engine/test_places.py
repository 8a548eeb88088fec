"""Where things are."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import places
from engine.places import Places, default_places, runs_folder


def test_one_variable_moves_every_folder_of_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(places.HOME, str(tmp_path))
    found = [places.config_folder(), places.data_folder(), places.state_folder(), places.cache_folder()]
    assert found == [tmp_path / name for name in ("config", "data", "state", "cache")]
    assert runs_folder(None) == tmp_path / "data" / "runs"


def test_runs_stand_beside_a_saved_project(tmp_path: Path) -> None:
    assert runs_folder(tmp_path / "mine.lwr") == tmp_path / "runs"


def test_data_is_looked_for_where_asked_then_beside_the_project_then_at_home(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("asked", "beside", "home")]
    found = Places(*folders)
    for folder in reversed(folders):
        assert found.find("set.csv") is None or found.find("set.csv") != folder / "set.csv"
        folder.mkdir()
        (folder / "set.csv").touch()
        assert found.find("set.csv") == folder / "set.csv"
    assert found.find(folders[2] / "set.csv") == folders[2] / "set.csv"
    assert found.find("absent") is None


def test_downloads_go_where_asked_else_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(places.HOME, str(tmp_path))
    assert default_places().downloads == tmp_path / "data" / "data"
    assert default_places(data=tmp_path / "asked").downloads == tmp_path / "asked"
    assert default_places(tmp_path / "p" / "mine.lwr").roots[0] == tmp_path / "p"
