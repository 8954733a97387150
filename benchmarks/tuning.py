"""Choosing the settings of other libraries, on members held out of the ratings that everything is trained on.

Every result is kept in a file, one JSON object a line: a run that was interrupted goes on where it stopped.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.conditions import installed_version
from benchmarks.field import Peer
from benchmarks.peers import Fitted, Settings, top_discovery_lists, top_lists
from benchmarks.people import People, judge_lists, take_out
from ml.evaluation.metrics import Judged
from ml.reading import Catalogue
from ml.training.data import Members

# Not the seed that takes out members to judge by, where the data have no test members.
TUNING_SEED = 40
MODES = ("plain", "discovery")


@dataclass(frozen=True, slots=True)
class Tried:
    """One setting of one library: mean NDCG@10 on the held-out members, plain and discovery, and seconds to fit."""

    peer: str
    version: str
    settings: dict[str, Any]
    plain: float
    discovery: float
    seconds: float


def judge_fitted(fitted: Fitted, people: People, catalogue: Catalogue) -> dict[str, Judged]:
    """Plain and discovery lists of a library, judged."""
    scores = fitted.scores(people.shown)
    franchise = catalogue.frame["franchise"].to_numpy()
    return {
        "plain": judge_lists(top_lists(scores, people.shown), people, catalogue, discovery=False),
        "discovery": judge_lists(
            top_discovery_lists(scores, people.shown, franchise), people, catalogue, discovery=True
        ),
    }


def tune(peer: Peer, members: Members, catalogue: Catalogue, results: Path) -> list[Tried]:
    """What every setting of ``peer`` reaches when it is fitted to some of ``members`` and judged by others."""
    version = installed_version(peer.distribution) if peer.distribution else ""
    known = [one for one in _read(results) if (one.peer, one.version) == (peer.name, version)]
    training, people = take_out(members, TUNING_SEED)
    tried = []
    for number, settings in enumerate(peer.tried, start=1):
        done = next((one for one in known if one.settings == settings), None)
        if done is None:
            done = _try(peer, version, settings, training, people, catalogue)
            with results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(done)) + "\n")
        print(f"  {peer.name} {number}/{len(peer.tried)}: {words(settings)}: {done.plain:.4f} plain, "
              f"{done.discovery:.4f} discovery, {done.seconds:.1f} s", file=sys.stderr, flush=True)  # fmt: skip
        tried.append(done)
    return tried


def best_settings(tried: list[Tried]) -> dict[str, Settings]:
    """The best setting for plain lists and for discovery."""
    return {mode: max(tried, key=lambda one: getattr(one, mode)).settings for mode in MODES}


def words(settings: Settings) -> str:
    return ", ".join(
        f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}" for name, value in settings.items()
    )


def _try(
    peer: Peer, version: str, settings: Settings, members: Members, people: People, catalogue: Catalogue
) -> Tried:
    start = time.perf_counter()
    fitted = peer.fit(members.batch, len(catalogue), settings)
    seconds = time.perf_counter() - start
    reached = judge_fitted(fitted, people, catalogue)
    plain, discovery = (round(float(reached[mode].ndcg.mean()), 4) for mode in MODES)
    return Tried(peer.name, version, dict(settings), plain, discovery, round(seconds, 2))


def _read(results: Path) -> list[Tried]:
    if not results.is_file():
        return []
    return [Tried(**json.loads(line)) for line in results.read_text(encoding="utf-8").splitlines()]
