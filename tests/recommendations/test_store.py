"""The model store: the same promises in a folder and in a store of objects."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs
from fsspec.implementations.memory import MemoryFileSystem
from pytest_django import Settings

from ml.artifacts import MANIFEST, BundleError, read_manifest, verify_bundle
from recommendations.services import store

ARRAY = "part.numbers.npy"
Make = Callable[[str], Path]


@dataclass(frozen=True)
class Place:
    """The store seen from outside."""

    files: AbstractFileSystem
    root: str

    def path(self, location: str, name: str) -> str:
        return f"{self.root}/{location}/{name}"

    def read(self, location: str, name: str) -> bytes:
        return self.files.cat_file(self.path(location, name))

    def write(self, location: str, name: str, content: bytes) -> None:
        self.files.pipe_file(self.path(location, name), content)

    def remove(self, location: str, name: str) -> None:
        self.files.rm_file(self.path(location, name))

    def names(self) -> set[str]:
        """All files and folders, relative to the store."""
        found = self.files.find(self.root, withdirs=True) if self.files.exists(self.root) else []
        return {path.removeprefix(self.root).lstrip("/") for path in found} - {""}


@pytest.fixture(params=["folder", "memory"])
def place(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> Iterator[Place]:
    settings.MODEL_STORE = str(tmp_path / "store") if request.param == "folder" else "memory://animerec/models"
    yield Place(*url_to_fs(settings.MODEL_STORE))
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def expected_names(bundle: Path, location: str) -> set[str]:
    return {location} | {f"{location}/{path.name}" for path in bundle.iterdir()}


def test_what_is_put_can_be_fetched(place: Place, cache: Path, small_bundle: Make) -> None:
    bundle = small_bundle("one")
    location = store.put(bundle)
    assert location == read_manifest(bundle).sha256
    assert place.names() == expected_names(bundle, location)
    copy = store.fetch(location, cache)
    assert copy == cache / location
    assert verify_bundle(copy) == read_manifest(bundle)
    assert all(path.stat().st_mode & 0o222 == 0 for path in copy.iterdir()), "nobody may write to the copy"
    store.check(location)


def test_putting_twice_is_the_same_as_once(place: Place, small_bundle: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = small_bundle("one")
    location = store.put(bundle)

    def put_file(*args: object, **kwargs: object) -> None:
        raise AssertionError("it is there already")

    monkeypatch.setattr(type(place.files), "put_file", put_file)
    assert store.put(bundle) == location
    assert place.names() == expected_names(bundle, location)


@pytest.mark.parametrize("name", [ARRAY, MANIFEST])
def test_an_upload_that_breaks_off_leaves_nothing(
    place: Place, small_bundle: Make, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    original = type(place.files).put_file
    written: list[str] = []

    def put_file(self: AbstractFileSystem, source: str, target: str, **kwargs: object) -> None:
        if target.endswith(name):
            raise OSError(errno.ENOSPC, "No space left on device")
        original(self, source, target, **kwargs)
        written.append(target.rpartition("/")[2])

    bundle = small_bundle("one")
    with monkeypatch.context() as patch:
        patch.setattr(type(place.files), "put_file", put_file)
        with pytest.raises(store.StoreError, match=rf"{name}: No space left"):
            store.put(bundle)
    assert MANIFEST not in written, "the manifest is the last to come"
    assert place.names() == set()
    store.check(store.put(bundle))


def test_an_upload_that_arrives_cut_short_is_noticed(
    place: Place, small_bundle: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = type(place.files).put_file

    def put_file(self: AbstractFileSystem, source: str, target: str, **kwargs: object) -> None:
        original(self, source, target, **kwargs)
        if target.endswith(ARRAY):
            self.pipe_file(target, Path(source).read_bytes()[:100])

    monkeypatch.setattr(type(place.files), "put_file", put_file)
    with pytest.raises(BundleError, match=rf"{ARRAY}: 100 bytes where the manifest says"):
        store.put(small_bundle("one"))
    assert place.names() == set()


def test_a_damaged_bundle_does_not_get_in(place: Place, small_bundle: Make) -> None:
    bundle = small_bundle("one")
    (bundle / ARRAY).write_bytes(b"rubbish")
    with pytest.raises(BundleError, match=ARRAY):
        store.put(bundle)
    assert place.names() == set()


DAMAGES: dict[str, tuple[Callable[[Place, str], None], str]] = {
    "cut short": (
        lambda place, at: place.write(at, ARRAY, place.read(at, ARRAY)[:-4]),
        "bytes where the manifest says",
    ),
    "array missing": (lambda place, at: place.remove(at, ARRAY), "missing"),
    "manifest missing": (lambda place, at: place.remove(at, MANIFEST), "missing"),
    "manifest cut short": (lambda place, at: place.write(at, MANIFEST, place.read(at, MANIFEST)[:50]), "cut short"),
    "all missing": (lambda place, at: place.files.rm(f"{place.root}/{at}", recursive=True), "missing"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_bundle_does_not_get_out_until_it_is_put_again(
    place: Place, cache: Path, small_bundle: Make, settings: Settings, damage: str
) -> None:
    bundle = small_bundle("one")
    location = store.put(bundle)
    change, reason = DAMAGES[damage]
    change(place, location)
    for act in (lambda: store.fetch(location, cache), lambda: store.check(location)):
        with pytest.raises(BundleError, match=reason) as caught:
            act()
        assert not isinstance(caught.value, store.StoreError), "the store answered"
        assert f"{settings.MODEL_STORE}/{location}" in str(caught.value), "it says where"
    assert not any(cache.iterdir()), "no half copy is left"
    store.put(bundle)
    store.check(location)
    assert verify_bundle(store.fetch(location, cache)).sha256 == location


def test_one_wrong_bit_is_refused(place: Place, cache: Path, small_bundle: Make) -> None:
    bundle = small_bundle("one")
    location = store.put(bundle)
    content = bytearray(place.read(location, ARRAY))
    content[-1] ^= 1
    place.write(location, ARRAY, bytes(content))
    with pytest.raises(BundleError, match=rf"{ARRAY}: does not match the hash"):
        store.fetch(location, cache)
    store.put(bundle)
    store.fetch(location, cache)


def test_another_bundle_under_the_name_is_refused(place: Place, cache: Path, small_bundle: Make) -> None:
    one, other = store.put(small_bundle("one")), store.put(small_bundle("other"))
    place.write(one, MANIFEST, place.read(other, MANIFEST))
    with pytest.raises(BundleError, match="the manifest of another bundle"):
        store.fetch(one, cache)
    with pytest.raises(BundleError, match="does not match its hash"):
        store.check(one)


@pytest.mark.parametrize(
    "error", [OSError(errno.ENETUNREACH, "Network is unreachable"), RuntimeError("token\nexpired"), TimeoutError()]
)
def test_a_store_that_cannot_be_reached_is_told_apart(
    place: Place, cache: Path, small_bundle: Make, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    location = store.put(small_bundle("one"))

    def fail(*args: object, **kwargs: object) -> None:
        raise error

    for method in ("get_file", "cat_file", "put_file", "ls", "rm", "rm_file", "open"):
        monkeypatch.setattr(type(place.files), method, fail)
    acts: list[Callable[[], object]] = [
        lambda: store.put(small_bundle("other")),
        lambda: store.fetch(location, cache),
        lambda: store.check(location),
        lambda: store.delete(location),
        store.sizes,
    ]
    for act in acts:
        with pytest.raises(store.StoreError) as caught:
            act()
        assert "\n" not in str(caught.value), "one line"
    assert not any(cache.iterdir())


def test_a_copy_in_the_cache_needs_no_store(place: Place, cache: Path, small_bundle: Make) -> None:
    location = store.put(small_bundle("one"))
    copy = store.fetch(location, cache)
    store.delete(location)
    assert store.fetch(location, cache) == copy


def test_a_damaged_copy_in_the_cache_makes_way(place: Place, cache: Path, small_bundle: Make) -> None:
    location = store.put(small_bundle("one"))
    victim = store.fetch(location, cache) / ARRAY
    victim.chmod(0o644)
    victim.write_bytes(b"rubbish")
    assert verify_bundle(store.fetch(location, cache)).sha256 == location
    assert [path.name for path in cache.iterdir()] == [location]


def test_a_cache_that_cannot_be_written_is_named(place: Place, small_bundle: Make, tmp_path: Path) -> None:
    location = store.put(small_bundle("one"))
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(BundleError, match="file/cache"):
        store.fetch(location, tmp_path / "file" / "cache")


def test_deleting(place: Place, small_bundle: Make) -> None:
    one, other = small_bundle("one"), small_bundle("other")
    gone, stays = store.put(one), store.put(other)
    assert store.sizes() == {
        gone: sum(path.stat().st_size for path in one.iterdir()),
        stays: sum(path.stat().st_size for path in other.iterdir()),
    }
    store.delete(gone)
    store.delete(gone)
    assert set(store.sizes()) == {stays}
    assert place.names() == expected_names(other, stays)


def test_an_empty_store_has_no_sizes(place: Place) -> None:
    assert store.sizes() == {}


@pytest.mark.parametrize("location", ["", ".", "..", "models", "0" * 63, "../" + "0" * 64, "0" * 64 + "/x"])
def test_only_the_name_of_a_bundle_is_deleted(place: Place, small_bundle: Make, location: str) -> None:
    store.put(small_bundle("one"))
    before = place.names()
    with pytest.raises(BundleError, match="not the SHA-256"):
        store.delete(location)
    assert place.names() == before


def test_copies_that_nobody_needs_are_forgotten(place: Place, cache: Path, small_bundle: Make) -> None:
    assert store.forget_copies(cache, ()) == []
    old, kept = (store.put(small_bundle(note)) for note in ("old", "kept"))
    for location in (old, kept):
        store.fetch(location, cache)
    (cache / "notes.txt").write_text("not a copy")
    for name, age_seconds in ((".copy.abandoned", 2 * 24 * 3600), (".copy.running", 60)):
        (cache / name).mkdir()
        os.utime(cache / name, (time.time() - age_seconds,) * 2)
    with (cache / old / ARRAY).open("rb") as mapped:
        assert store.forget_copies(cache, {kept}) == [old]
        assert mapped.read(6) == b"\x93NUMPY", "who has it open keeps it"
    assert {path.name for path in cache.iterdir()} == {kept, "notes.txt", ".copy.running"}


def test_a_folder_needs_no_cloud_library(tmp_path: Path, settings: Settings) -> None:
    heavy = ("fsspec", "gcsfs", "aiohttp", "google")
    code = (
        "import sys, django; django.setup(); import animerec_site.urls\n"
        f"loaded = lambda: [name for name in {heavy!r} if name in sys.modules]\n"
        "print(loaded())\nfrom recommendations.services import store; store.sizes(); print(loaded())"
    )
    environment = {**os.environ, "MODEL_STORE": str(tmp_path), "DJANGO_SETTINGS_MODULE": "animerec_site.settings.dev"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines() == ["[]", "['fsspec']"], done.stderr


def test_a_folder_that_was_copied_by_hand_is_a_store(
    settings: Settings, cache: Path, small_bundle: Make, tmp_path: Path
) -> None:
    settings.MODEL_STORE = f"file://{tmp_path / 'store'}/"
    bundle = small_bundle("one")
    location = read_manifest(bundle).sha256
    shutil.copytree(bundle, tmp_path / "store" / location)
    store.check(location)
    assert store.fetch(location, cache).name == location
