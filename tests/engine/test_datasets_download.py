"""Fetching from a local server: progress, checksum, cancel, mirrors, a dead network; nothing partial stays behind."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from engine.datasets.download import CHUNK, DownloadPlan, RemoteFile
from engine.datasets.raw import Cancelled
from engine.places import Places
from engine.runtime.data import fetch, needs_download, open_data
from tests.engine.data_tools import Flag, places, recipe, refusal

TABLE = b"a,y\n" + b"".join(b"%d,%d\n" % (n, n % 2) for n in range(60_000))
SUM = hashlib.sha256(TABLE).hexdigest()


class Server(BaseHTTPRequestHandler):
    """Serves the table at /t.csv, half of it at /cut.csv, and nothing else; `asked` are the pages it was asked for."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        body = TABLE[: len(TABLE) // 2] if self.path == "/cut.csv" else TABLE
        self.send_response(200 if self.path.partition("?")[0] in ("/t.csv", "/cut.csv") else 404)
        self.send_header("Content-Length", str(len(TABLE)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as found:
        thread = threading.Thread(target=found.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{found.server_port}"
        found.shutdown()
        thread.join()


def table(url: str, checksum: str = SUM, path: str = "t.csv") -> dict[str, str]:
    return {"type": "csv", "path": path, "target": "y", "url": url, "checksum": checksum}


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_table_is_fetched_only_when_asked(server: str, tmp_path: Path) -> None:
    chosen = recipe(table(f"{server}/t.csv"))
    problem = refusal(lambda: open_data(chosen, places(tmp_path)))
    assert problem.code == "data-missing"
    assert f"{server}/t.csv" in problem.fix
    assert left(tmp_path) == []
    plan = needs_download(chosen, places(tmp_path))
    assert plan is not None
    assert plan.words == f"t.csv from {server}/t.csv"
    assert plan.folder == tmp_path
    told: list[tuple[int, int | None]] = []
    fetch(chosen, places(tmp_path), progress=lambda done, total, words: told.append((done, total)))
    assert told[-1] == (len(TABLE), len(TABLE))
    assert len(told) > 1
    assert (tmp_path / "t.csv").read_bytes() == TABLE
    assert left(tmp_path) == ["t.csv"]
    assert needs_download(chosen, places(tmp_path)) is None
    assert open_data(chosen, places(tmp_path)).facts.counts["train"] == 48_000


def test_opening_can_fetch_first_and_puts_files_where_data_was_asked_for(server: str, tmp_path: Path) -> None:
    where = Places(data=tmp_path / "given", folder=tmp_path / "usual")
    open_data(recipe(table(f"{server}/t.csv")), where, download=True)
    assert left(tmp_path / "given") == ["t.csv"]
    assert not (tmp_path / "usual").exists()


def test_a_wrong_checksum_is_refused_and_the_file_removed(server: str, tmp_path: Path) -> None:
    problem = refusal(lambda: fetch(recipe(table(f"{server}/t.csv", "0" * 64)), places(tmp_path)))
    assert problem.code == "data-checksum"
    assert SUM in problem.happened
    assert left(tmp_path) == []


@pytest.mark.parametrize("page", ["cut.csv", "nothing.csv"])
def test_a_server_that_fails_is_named_with_the_folder_to_use_instead(server: str, tmp_path: Path, page: str) -> None:
    problem = refusal(lambda: fetch(recipe(table(f"{server}/{page}")), places(tmp_path)))
    assert problem.code == "data-offline"
    assert page in problem.happened
    assert str(tmp_path) in problem.fix
    assert left(tmp_path) == []


def test_without_a_network_the_file_and_folder_are_named(tmp_path: Path) -> None:
    problem = refusal(lambda: fetch(recipe(table("http://127.0.0.1:9/t.csv")), places(tmp_path)))
    assert problem.code == "data-offline"
    assert "t.csv could not be fetched" in problem.happened
    assert str(tmp_path) in problem.fix


def test_fetching_can_be_cancelled_in_the_middle(server: str, tmp_path: Path) -> None:
    assert len(TABLE) > CHUNK
    with pytest.raises(Cancelled):
        fetch(recipe(table(f"{server}/t.csv")), places(tmp_path), cancel=Flag(after=1))
    assert left(tmp_path) == []


def test_the_next_mirror_is_tried(server: str, tmp_path: Path) -> None:
    file = RemoteFile((f"{server}/gone.csv", f"{server}/t.csv"), "t.csv", SUM, "sha256")
    DownloadPlan("t", 0, tmp_path, (file,)).fetch()
    assert left(tmp_path) == ["t.csv"]


def test_a_fetch_that_was_cut_off_goes_on_with_what_is_missing(server: str, tmp_path: Path) -> None:
    names = ("one.csv", "two.csv", "three.csv")
    files = [RemoteFile((f"{server}/t.csv?{name}",), name, SUM, "sha256") for name in names]
    broken = (files[0], RemoteFile((f"{server}/cut.csv",), "two.csv", SUM, "sha256"), files[2])
    problem = refusal(DownloadPlan("t", 0, tmp_path, broken).fetch)
    assert problem.code == "data-offline"
    assert "after" in problem.happened
    assert left(tmp_path) == ["one.csv"], "what is whole stays, what is not goes"
    (tmp_path / "three.csv").write_bytes(TABLE[:-1])
    Server.asked.clear()
    DownloadPlan("t", 0, tmp_path, tuple(files)).fetch()
    assert Server.asked == ["/t.csv?two.csv", "/t.csv?three.csv"]
    assert [(tmp_path / name).read_bytes() == TABLE for name in names] == [True] * 3
    assert left(tmp_path) == sorted(names)


def test_a_rest_of_another_program_is_never_taken_for_the_file(server: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv.part").write_bytes(b"x" * 10)
    fetch(recipe(table(f"{server}/t.csv")), places(tmp_path))
    assert (tmp_path / "t.csv").read_bytes() == TABLE
    assert left(tmp_path) == ["t.csv"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_a_disk_that_fills_up_while_fetching_is_a_problem(server: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv.part").symlink_to("/dev/full")
    problem = refusal(lambda: fetch(recipe(table(f"{server}/t.csv")), places(tmp_path)))
    assert problem.code == "data-not-written"
    assert "No space left" in problem.happened
    assert list(tmp_path.iterdir()) == []


def test_a_full_or_locked_folder_is_a_problem(server: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    problem = refusal(lambda: fetch(recipe(table(f"{server}/t.csv")), places(tmp_path / "file")))
    assert problem.code == "data-not-written"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (table("http://127.0.0.1:9/t.csv", ""), "data-no-checksum"),
        (table("http://127.0.0.1:9/t.csv", path="../t.csv"), "data-path"),
        (table("file:///etc/hostname"), "data-offline"),
    ],
)
def test_a_project_file_cannot_fetch_just_anything(data: dict[str, str], code: str, tmp_path: Path) -> None:
    assert refusal(lambda: fetch(recipe(data), places(tmp_path / "data"))).code == code
    assert left(tmp_path) == []
