"""People for the gate whom no bundle has seen, and bundles made worse on purpose."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ml.artifacts import open_arrays, read_manifest, write_bundle

PEOPLE = 60

Arrays = dict[str, np.ndarray]
Ratings = dict[int, dict[int, int]]


def fans(people: int = PEOPLE, seed: int = 11) -> tuple[Ratings, Ratings]:
    """People of the world of fandoms whom no bundle has seen: of their fandom's twelve titles five are shown and four
    held out, all liked, and they saw one of another fandom."""
    draw = np.random.default_rng(seed)
    shown: Ratings = {}
    heldout: Ratings = {}
    for person in range(1, people + 1):
        home = 1000 * (person % 3 + 1)
        order = draw.permutation(12).tolist()
        shown[person] = {home + part: 9 for part in order[:5]}
        shown[person][1000 * ((person + 1) % 3 + 1) + order[0]] = 6
        heldout[person] = {home + part: 9 for part in order[5:9]}
    return shown, heldout


def rebuilt(bundle: Path, out: Path, change: Callable[[Arrays], None], without: str = "") -> Path:
    """The bundle with some arrays changed, perhaps ``without`` a part: whole and verified, but another model."""
    manifest = read_manifest(bundle)
    arrays = {name: np.array(array) for name, array in open_arrays(bundle, manifest).items()}
    change(arrays)
    about = {name: value for name, value in manifest.content.items() if name not in {"format", "files", "checksum"}}
    about["settings"] = {name: value for name, value in about["settings"].items() if name != without}
    write_bundle(out, arrays, about)
    return out


def mixed_up(arrays: Arrays) -> None:
    """What EASE and the contents say of one title is said of another."""
    order = np.random.default_rng(3).permutation(len(arrays["titles.anime_ids"]))
    arrays["ease.targets"][:] = order[arrays["ease.targets"]]
    arrays["content.vectors"][:] = arrays["content.vectors"][order]


def contrary(arrays: Arrays) -> None:
    """EASE recommends what people like least."""
    arrays["ease.scales"] *= -1
    arrays["content.vectors"][:] = 0
    arrays["content.franchise"][:] = np.arange(len(arrays["content.franchise"]))
