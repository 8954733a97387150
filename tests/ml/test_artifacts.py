"""Bundles: written whole or not at all, verified whenever read, never changed."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from ml.artifacts import (
    MANIFEST,
    BundleError,
    cached_copy,
    open_arrays,
    read_manifest,
    verify_bundle,
    write_bundle,
)
from ml.serving import load_recommender

ARRAYS = {"part.numbers": np.arange(6, dtype=np.int32).reshape(2, 3), "part.empty": np.zeros(0, np.float32)}


def small_bundle(directory: Path) -> Path:
    write_bundle(directory, ARRAYS, {"metrics": {"ndcg": 0.5}})
    return directory


def test_arrays_come_back_read_only(tmp_path: Path) -> None:
    out = small_bundle(tmp_path / "new" / "bundle")
    arrays = open_arrays(out, verify_bundle(out))
    assert set(arrays) == set(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype
    with pytest.raises(ValueError, match="read-only"):
        arrays["part.numbers"][0, 0] = 1


def test_the_version_names_the_content(tmp_path: Path) -> None:
    one, same = small_bundle(tmp_path / "one"), small_bundle(tmp_path / "same")
    write_bundle(tmp_path / "other", {**ARRAYS, "part.more": np.ones(1)}, {"metrics": {"ndcg": 0.5}})
    assert read_manifest(one).version == read_manifest(same).version
    assert read_manifest(one).version != read_manifest(tmp_path / "other").version


def test_an_existing_bundle_is_never_overwritten(tmp_path: Path) -> None:
    out = small_bundle(tmp_path / "bundle")
    before = (out / MANIFEST).read_bytes()
    with pytest.raises(BundleError, match="exists already"):
        write_bundle(out, {}, {})
    assert (out / MANIFEST).read_bytes() == before
    assert os.listdir(tmp_path) == ["bundle"]


def test_nothing_is_left_of_a_failed_writing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="allow_pickle"):
        write_bundle(tmp_path / "bundle", {"part.objects": np.array([object()])}, {})
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-4]), "bytes where the manifest says"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1] + b"\x7f"), "does not match the hash"),
        (lambda path: path.unlink(), "missing"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, damage, reason: str) -> None:
    out = small_bundle(tmp_path / "bundle")
    damage(out / "part.numbers.npy")
    with pytest.raises(BundleError, match=r"part\.numbers\.npy") as caught:
        verify_bundle(out)
    assert reason in str(caught.value)
    with pytest.raises(BundleError, match=str(out)):
        cached_copy(out, tmp_path / "cache")
    assert not any((tmp_path / "cache").iterdir()), "no half copy is left"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON"),
        ('{"format": 1, "files"', "not JSON"),
        ("[]", "not the manifest of a bundle"),
        ('{"name": "a web app"}', "not the manifest of a bundle"),
        ('{"format": 99}', "bundle format 99, this program reads 1"),
        ('{"format": 1, "files": {}}', "does not match its own checksum"),
    ],
)
def test_a_foreign_or_cut_manifest_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(BundleError, match=reason):
        load_recommender(tmp_path)


def test_a_changed_manifest_is_refused(tmp_path: Path) -> None:
    out = small_bundle(tmp_path / "bundle")
    content = json.loads((out / MANIFEST).read_text())
    content["metrics"]["ndcg"] = 0.99
    (out / MANIFEST).write_text(json.dumps(content))
    with pytest.raises(BundleError, match="does not match its own checksum"):
        verify_bundle(out)


def test_no_bundle_at_all(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="is not a bundle"):
        load_recommender(tmp_path / "nowhere")


def test_a_sound_bundle_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="not a bundle this program can serve"):
        load_recommender(small_bundle(tmp_path / "bundle"))


def test_the_cache_survives_the_store(bundle: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    shutil.copytree(bundle, store)
    recommender = load_recommender(store, tmp_path / "cache")
    (copy,) = (tmp_path / "cache").iterdir()
    assert copy.name == read_manifest(bundle).sha256
    assert copy.name.startswith(recommender.version)
    assert all(path.stat().st_mode & 0o222 == 0 for path in copy.iterdir()), "nobody may write to the copy"
    for path in store.iterdir():
        path.write_bytes(b"")  # a mapped file that shrinks would kill this process
    assert recommender.similar(1000)


def test_a_damaged_cached_copy_is_made_anew(bundle: Path, tmp_path: Path) -> None:
    copy, manifest = cached_copy(bundle, tmp_path / "cache")
    victim = copy / "ease.weights.npy"
    victim.chmod(0o644)
    victim.write_bytes(b"rubbish")
    assert cached_copy(bundle, tmp_path / "cache") == (copy, manifest)
    assert verify_bundle(copy) == manifest
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [copy.name]
