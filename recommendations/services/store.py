"""The model store: published bundles, in a folder or wherever fsspec reaches (``gs://BUCKET/PREFIX``).

A bundle lies under the SHA-256 of its manifest, its *location*. The manifest is written last and deleted first: what
has none is no bundle, however much of it is there. Processes never read from the store itself but from private,
verified copies in ``MODEL_CACHE``.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from ml.artifacts import ASIDE_PREFIX, MANIFEST, BundleError, Manifest, private_copy, verify_bundle

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

LOCATION = re.compile(r"[0-9a-f]{64}")
# A copy that was begun this long ago will not be finished any more.
ABANDONED_SECONDS = 24 * 3600.0
MAX_REASON_CHARS = 300


class StoreError(BundleError):
    """The store does not answer or refuses: it says nothing about the bundle, and may be over in a moment."""


def put(bundle: Path) -> str:
    """Verify ``bundle``, bring it into the store and return its location. Twice is the same as once.

    What is in the store already is read and compared; a damaged bundle there is replaced. Raises
    :class:`BundleError` for a bundle that is damaged or foreign, :class:`StoreError` where the store fails; nothing
    is left of a bundle that did not arrive whole.
    """
    manifest = verify_bundle(bundle)
    filesystem, root = _filesystem()
    folder = f"{root}/{manifest.sha256}"
    if _is_whole(filesystem, folder, manifest):
        return manifest.sha256
    try:
        _remove(filesystem, folder)
        with _in_words(_source(manifest.sha256)):
            filesystem.makedirs(folder, exist_ok=True)
        for name in (*manifest.files, MANIFEST):
            with _in_words(_source(manifest.sha256, name)):
                filesystem.put_file(str(bundle / name), f"{folder}/{name}")
        check(manifest.sha256)
    except BaseException:
        with suppress(StoreError):
            _remove(filesystem, folder)
        raise
    return manifest.sha256


def fetch(location: str, cache_dir: Path) -> Path:
    """A private copy of the bundle at ``location``, verified and read-only: ``cache_dir/<location>``.

    The store is asked only where there is no sound copy yet. Raises :class:`BundleError` for a bundle that is
    missing or does not match its hashes, :class:`StoreError` where the store fails.
    """
    _check_name(location)

    def copy_file(name: str, target: Path) -> None:
        filesystem, root = _filesystem()
        with _in_words(_source(location, name)):
            filesystem.get_file(f"{root}/{location}/{name}", str(target))

    return private_copy(location, cache_dir, copy_file, source=_source(location))[0]


def check(location: str) -> None:
    """Raise :class:`BundleError` unless the store has the right manifest and each file is as long as that says.

    It costs a listing and one small file; only :func:`put` and :func:`fetch` read, and compare, everything.
    """
    _check_name(location)
    filesystem, root = _filesystem()
    with _in_words(_source(location, MANIFEST)):
        raw = filesystem.cat_file(f"{root}/{location}/{MANIFEST}")
    if hashlib.sha256(raw).hexdigest() != location:
        raise BundleError(f"{_source(location, MANIFEST)}: does not match its hash; damaged or cut short")
    found = _files(filesystem, f"{root}/{location}", _source(location))
    for name, entry in json.loads(raw)["files"].items():
        if name not in found:
            raise BundleError(f"{_source(location, name)}: missing")
        if found[name] != entry["bytes"]:
            raise BundleError(
                f"{_source(location, name)}: {found[name]} bytes where the manifest says {entry['bytes']}"
            )


def delete(location: str) -> None:
    """Delete the files at ``location``; none there is fine. :class:`StoreError` where the store fails."""
    _check_name(location)
    filesystem, root = _filesystem()
    _remove(filesystem, f"{root}/{location}")


def sizes() -> dict[str, int]:
    """Bytes of all that lies in the store, by location; half uploads and bundles without a row included."""
    filesystem, root = _filesystem()
    try:
        with _in_words(settings.MODEL_STORE):
            entries = filesystem.ls(root, detail=True)
    except StoreError:
        raise
    except BundleError:  # nothing was ever published
        return {}
    names = [_base(entry["name"]) for entry in entries if entry["type"] == "directory"]
    return {
        name: sum(_files(filesystem, f"{root}/{name}", _source(name)).values())
        for name in names
        if LOCATION.fullmatch(name)
    }


def forget_copies(cache_dir: Path, keep: Collection[str]) -> list[str]:
    """Delete the private copies in ``cache_dir`` but those of the locations ``keep``; return what was deleted.

    Processes that have mapped a copy keep its files until they let go of them.
    """
    gone = []
    for path in cache_dir.iterdir() if cache_dir.is_dir() else ():
        if LOCATION.fullmatch(path.name) and path.name not in keep:
            shutil.rmtree(path, ignore_errors=True)
            gone.append(path.name)
        elif path.name.startswith(ASIDE_PREFIX):
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                    shutil.rmtree(path, ignore_errors=True)
    return gone


def _filesystem() -> tuple[AbstractFileSystem, str]:
    """The filesystem that ``MODEL_STORE`` names, and the store's path in it."""
    from fsspec.core import url_to_fs  # here, so that what never touches the store does not load it

    store = str(settings.MODEL_STORE)
    with _in_words(store):
        # No cache of listings: what others write has to be seen.
        filesystem, root = url_to_fs(store, use_listings_cache=False)
    return filesystem, root.rstrip("/")


def _is_whole(filesystem: AbstractFileSystem, folder: str, manifest: Manifest) -> bool:
    wanted = {MANIFEST: manifest.sha256} | {name: entry["sha256"] for name, entry in manifest.files.items()}
    for name, sha256 in wanted.items():
        try:
            with _in_words(_source(manifest.sha256, name)), filesystem.open(f"{folder}/{name}", "rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except StoreError:
            raise
        except BundleError:  # missing
            return False
        if found != sha256:
            return False
    return True


def _remove(filesystem: AbstractFileSystem, folder: str) -> None:
    with _in_words(folder):
        with suppress(FileNotFoundError):
            filesystem.rm_file(f"{folder}/{MANIFEST}")
        with suppress(FileNotFoundError):
            filesystem.rm(folder, recursive=True)


def _files(filesystem: AbstractFileSystem, folder: str, source: str) -> dict[str, int]:
    """Bytes of the files in a folder by name. (``ls``, because ``find`` hides what cannot be read.)"""
    with _in_words(source):
        return {_base(entry["name"]): int(entry["size"] or 0) for entry in filesystem.ls(folder, detail=True)}


def _base(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def _source(location: str, name: str = "") -> str:
    """How errors call a bundle in the store, or a file of it."""
    return "/".join(part for part in (str(settings.MODEL_STORE).rstrip("/"), location, name) if part)


def _check_name(location: str) -> None:
    # A location comes from a database row; what is no hash could name the whole store.
    if not LOCATION.fullmatch(location):
        raise BundleError(f"{location!r}: not the SHA-256 under which a bundle is stored")


@contextmanager
def _in_words(source: str) -> Iterator[None]:
    """One kind of error for all filesystems: they and their network and login libraries each have their own."""
    try:
        yield
    except BundleError:
        raise
    except (FileNotFoundError, NotADirectoryError):
        raise BundleError(f"{source}: missing") from None
    except Exception as error:
        words = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise StoreError(f"{source}: {' '.join(words.split())[:MAX_REASON_CHARS]}") from error
