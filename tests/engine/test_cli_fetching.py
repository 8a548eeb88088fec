"""Data that is not on this computer: said first, asked about where a project names the address, then verified."""

from __future__ import annotations

import hashlib
import json
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from engine.runs import list_runs
from tests.engine.cli_tools import command

QUICK = ("--threads", 1, "--device", "cpu")


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("LAYERWRIGHT_HOME", str(tmp_path / "home"))


def test_data_that_may_not_be_fetched_is_said_before_anything(capsys, tmp_path):
    said = command(capsys, "train", "fashion-mlp", "--runs", tmp_path, "--no-download")
    assert said.code == 2
    assert "31 MB" in said.err
    assert "--data" in said.err
    assert list_runs(tmp_path) == []


def test_an_address_in_a_project_is_asked_about(capsys, tmp_path):
    said = command(capsys, "train", "housing", "--runs", tmp_path)
    assert said.code == 2
    assert "--yes" in said.err
    assert "raw.githubusercontent.com" in said.err


@pytest.fixture
def server(tmp_path):
    """A table served on this computer: its address."""
    folder = tmp_path / "served"
    folder.mkdir()
    rows = [f"{place},{place % 7},{'near' if place % 2 else 'far'},{3 * place + place % 7}" for place in range(120)]
    (folder / "table.csv").write_text("size,age,where,price\n" + "\n".join(rows) + "\n")
    handler = partial(_Quiet, directory=str(folder))
    serving = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=serving.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{serving.server_port}/table.csv", (folder / "table.csv").read_bytes()
    serving.shutdown()
    thread.join()
    serving.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


def fetched(capsys, tmp_path, address, checksum):
    data = {
        "type": "csv",
        "path": "table.csv",
        "target": "price",
        "task": "regression",
        "url": address,
        "checksum": checksum,
    }
    return command(capsys, "train", "housing", "--runs", tmp_path / "runs", "--epochs", 1, "--yes", "--json",
                   "--set", f"recipe.data={json.dumps(data)}", *QUICK)  # fmt: skip


def test_agreed_data_is_fetched_checked_and_trained_on(server, capsys, tmp_path):
    address, content = server
    said = fetched(capsys, tmp_path, address, hashlib.sha256(content).hexdigest())
    assert said.code == 0, said.err
    assert "must be fetched" in said.err
    assert said.lines[0]["train_samples"] == 96
    assert "val_mae" in said.lines[-1]["final"]


def test_data_with_another_checksum_is_refused_and_removed(server, capsys, tmp_path):
    said = fetched(capsys, tmp_path, server[0], "0" * 64)
    assert said.code == 2
    assert not list((tmp_path / "home").rglob("table.csv*"))
