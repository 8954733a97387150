"""`python -m benchmarks`: names, data, and what cannot be run."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.__main__ import BENCHMARKS, main
from benchmarks.conditions import content_key, describe_run


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["spead", "--data", "."])
    assert stopped.value.code == 2
    assert "no benchmark spead; there are import, training" in capsys.readouterr().err


def test_data_have_to_be_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANIMEREC_DATA", raising=False)
    with pytest.raises(SystemExit):
        main(["quality"])
    assert "name the real data with --data DIR or ANIMEREC_DATA" in capsys.readouterr().err


@pytest.mark.parametrize("name", [name for name, one in BENCHMARKS.items() if one.needs_data])
def test_a_directory_without_data_is_said_in_one_line(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([name, "--data", str(tmp_path)]) == 1
    assert "not run: " in capsys.readouterr().err


def test_the_run_says_when_and_on_what_and_names_no_host() -> None:
    import socket

    said = describe_run()
    assert "cores" in said
    assert "GiB" in said
    assert socket.gethostname() not in said


def test_kept_results_hold_while_files_do_not_change(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    file.write_text("seed: 1")
    before = content_key([file])
    assert content_key([file]) == before
    file.write_text("seed: 2")
    assert content_key([file]) != before
