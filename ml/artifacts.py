"""Bundles: a directory that holds a model, written once, verified whenever it is read, never changed.

``manifest.json`` says what the bundle is and lists size, SHA-256, dtype and shape of every array; each array
is a ``.npy`` file read with ``allow_pickle=False``, so that a foreign bundle can be wrong but never run code.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

FORMAT = 1
MANIFEST = "manifest.json"
ARRAY_NAME = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*")
VERSION_CHARS = 12
# How the name of a copy begins while it is being made.
ASIDE_PREFIX = ".copy."
# Brings the file of this name from where a bundle lies to a path on this machine.
CopyFile = Callable[[str, Path], None]


class BundleError(Exception):
    """A bundle that cannot be used. ``str(error)`` is one line: which file, and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What ``manifest.json`` says. ``sha256`` is that of the manifest itself: it identifies the bundle,
    because it fixes the hash of every other file."""

    sha256: str
    content: Mapping[str, Any]

    @property
    def version(self) -> str:
        return self.sha256[:VERSION_CHARS]

    @property
    def files(self) -> Mapping[str, Mapping[str, Any]]:
        return self.content["files"]


def write_bundle(out: Path, arrays: Mapping[str, np.ndarray], description: Mapping[str, Any]) -> Manifest:
    """Write ``arrays`` and ``description`` (JSON values) as the bundle ``out``, which must not exist yet.

    Everything is written and synced in a directory beside ``out`` that is renamed at the end: ``out`` is
    there whole or not at all.
    """
    check_free(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        files = {}
        for name, array in arrays.items():
            if not ARRAY_NAME.fullmatch(name):
                raise ValueError(f"array name {name!r}")
            path = aside / f"{name}.npy"
            with path.open("wb") as file:
                np.save(file, np.ascontiguousarray(array), allow_pickle=False)
                _sync(file.fileno())
            files[path.name] = {
                "sha256": _sha256(path),
                "bytes": path.stat().st_size,
                "dtype": array.dtype.str,
                "shape": list(array.shape),
            }
        content: dict[str, Any] = {"format": FORMAT, **description, "files": files}
        content["checksum"] = _checksum(content)
        text = json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
        with (aside / MANIFEST).open("wb") as file:
            file.write(text.encode())
            _sync(file.fileno())
        aside.chmod(0o755)  # mkdtemp makes it private; other processes must be able to read a bundle
        _sync_directory(aside)
        aside.rename(out)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    _sync_directory(out.parent)
    return read_manifest(out)


def check_free(out: Path) -> None:
    """Raise :class:`BundleError` where ``out`` is taken (an empty directory is not)."""
    if out.is_symlink() or (out.exists() and not (out.is_dir() and not any(out.iterdir()))):
        raise BundleError(f"{out}: exists already; a bundle is never changed, choose another name")


def read_manifest(directory: Path) -> Manifest:
    """Read and check ``manifest.json``, not the arrays."""
    path = directory / MANIFEST
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise BundleError(f"{path}: no such file; {directory} is not a bundle") from None
    except OSError as error:
        raise BundleError(f"{path}: {error.strerror}") from None
    try:
        content = json.loads(raw)
    except ValueError:
        raise BundleError(f"{path}: not JSON; damaged or cut short") from None
    if not isinstance(content, dict) or "format" not in content:
        raise BundleError(f"{path}: not the manifest of a bundle")
    if content["format"] != FORMAT:
        raise BundleError(f"{path}: bundle format {content['format']!r}, this program reads {FORMAT}")
    if content.get("checksum") != _checksum(content):
        raise BundleError(f"{path}: does not match its own checksum; it was changed after writing")
    files = content.get("files")
    if not isinstance(files, dict) or not all(
        name.endswith(".npy") and ARRAY_NAME.fullmatch(name[:-4]) for name in files
    ):
        raise BundleError(f"{path}: lists files that no bundle holds")
    return Manifest(hashlib.sha256(raw).hexdigest(), content)


def verify_bundle(directory: Path) -> Manifest:
    """Check every file of a bundle against the manifest: :class:`BundleError` names the first that differs."""
    manifest = read_manifest(directory)
    for name, entry in manifest.files.items():
        path = directory / name
        try:
            size = path.stat().st_size
            if size != entry["bytes"]:
                raise BundleError(f"{path}: {size} bytes where the manifest says {entry['bytes']}")
            if _sha256(path) != entry["sha256"]:
                raise BundleError(f"{path}: does not match the hash in the manifest")
        except FileNotFoundError:
            raise BundleError(f"{path}: missing") from None
        except OSError as error:
            raise BundleError(f"{path}: {error.strerror}") from None
    return manifest


def open_arrays(directory: Path, manifest: Manifest) -> dict[str, np.ndarray]:
    """Map the arrays of a verified bundle, read-only, by name."""
    arrays = {}
    for name, entry in manifest.files.items():
        path = directory / name
        try:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
        except (ValueError, OSError, EOFError) as error:
            raise BundleError(f"{path}: not a plain array ({error})") from None
        if array.dtype.str != entry["dtype"] or list(array.shape) != entry["shape"]:
            raise BundleError(f"{path}: dtype or shape differs from the manifest")
        # A view without np.memmap's own methods: every slice of a memmap object costs microseconds.
        arrays[name[:-4]] = array.view(np.ndarray)
    return arrays


def cached_copy(directory: Path, cache_dir: Path) -> tuple[Path, Manifest]:
    """A private copy of the bundle, verified and read-only, in ``cache_dir/<sha256 of the manifest>``.

    Processes map this copy and never the store's file: a mapped file that somebody shortens kills them.
    """

    def copy_file(name: str, target: Path) -> None:
        try:
            shutil.copyfile(directory / name, target)
        except FileNotFoundError:
            raise BundleError(f"{directory / name}: missing") from None

    return private_copy(read_manifest(directory).sha256, cache_dir, copy_file, source=str(directory))


def private_copy(sha256: str, cache_dir: Path, copy_file: CopyFile, *, source: str) -> tuple[Path, Manifest]:
    """The bundle whose manifest has this ``sha256``, verified and read-only, in ``cache_dir/<sha256>``.

    A sound copy that is there already is taken as it is, and nothing is asked of the source. Otherwise
    ``copy_file(name, target)`` brings the files one by one, wherever they come from; it raises
    :class:`BundleError` for one it cannot bring. They are verified aside: no half copy ever has that name.
    ``source`` says in errors where the files come from.
    """
    copy = cache_dir / sha256
    if copy.is_dir():
        with suppress(BundleError):
            return copy, _verified(copy, sha256)
        # A damaged copy makes way. Processes that have mapped it keep their files until they let go of them.
        shutil.rmtree(copy, ignore_errors=True)
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=ASIDE_PREFIX, dir=cache_dir))
    except OSError as error:
        raise BundleError(f"{cache_dir}: {error.strerror}") from None
    try:
        copy_file(MANIFEST, aside / MANIFEST)
        for name in read_manifest(aside).files:
            copy_file(name, aside / name)
        manifest = _verified(aside, sha256)
        for path in aside.iterdir():
            path.chmod(0o444)
        with suppress(OSError):
            aside.rename(copy)
            return copy, manifest
        return copy, _verified(copy, sha256)  # another process was quicker: its copy is as good
    except BundleError as error:
        raise type(error)(str(error).replace(str(aside), source)) from None
    except OSError as error:
        raise BundleError(f"{source}: cannot be copied to {cache_dir}: {error.strerror}") from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _verified(directory: Path, sha256: str) -> Manifest:
    manifest = verify_bundle(directory)
    if manifest.sha256 != sha256:
        raise BundleError(f"{directory / MANIFEST}: the manifest of another bundle ({manifest.version})")
    return manifest


def _checksum(content: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in content.items() if key != "checksum"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(descriptor: int) -> None:
    os.fsync(descriptor)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
