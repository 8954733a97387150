"""Generated ratings: as spread as real ones, readable by training, and with something to learn in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.generated_data import list_lengths, make_entries, make_titles, write_generated
from ml.reading import Dataset, read_dataset

MEMBERS, TITLES = 600, 1500


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    directory = tmp_path_factory.mktemp("generated")
    written = write_generated(directory, MEMBERS, TITLES, seed=1)
    dataset = read_dataset(directory)
    assert len(dataset.interactions) == written
    return dataset


def test_training_can_read_all_of_it(generated: Dataset) -> None:
    assert generated.notes == ()
    assert len(generated.catalogue) == TITLES
    frame = generated.catalogue.frame
    assert frame["genres"].map(len).min() >= 1
    assert 0.3 < (frame["synopsis"] != "").mean() < 0.6
    assert len(np.unique(frame["franchise"])) < 0.8 * TITLES


def test_lists_are_as_long_as_those_of_the_2016_set() -> None:
    lengths = list_lengths(20_000, 12_294, np.random.default_rng(2))
    assert lengths.mean() == pytest.approx(100, rel=0.05)
    assert np.median(lengths) == pytest.approx(51, rel=0.1)
    assert np.quantile(lengths, 0.99) == pytest.approx(687, rel=0.15)


def test_nobody_has_a_title_twice_and_a_few_titles_have_most_of_the_entries(generated: Dataset) -> None:
    entries = generated.interactions
    assert len(np.unique(np.stack([entries.user_ids, entries.anime_ids]), axis=1).T) == len(entries)
    counts = np.sort(np.unique(entries.anime_ids, return_counts=True)[1])[::-1]
    assert counts[: TITLES // 10].sum() > 0.4 * len(entries)
    assert 0.7 < np.mean(~np.isnan(entries.ratings)) < 0.9
    assert 7 < np.nanmean(entries.ratings) < 8.5


def test_who_shares_titles_shares_more(generated: Dataset) -> None:
    """Lists overlap more by taste than titles drawn by popularity alone would: pairs of titles are over-dispersed."""
    rng = np.random.default_rng(3)
    titles = make_titles(300, rng)
    lists, rows, _ratings = make_entries(titles, 2000, rng)
    watched = np.zeros((2000, 300))
    watched[lists, rows] = 1
    together = np.corrcoef(watched.T[watched.sum(axis=0) > 100])
    same = titles.franchise[:, None] == titles.franchise[None, :]
    kept = watched.sum(axis=0) > 100
    same = same[np.ix_(kept, kept)] & ~np.eye(kept.sum(), dtype=bool)
    other = ~same & ~np.eye(kept.sum(), dtype=bool)
    assert together[same].mean() > together[other].mean() + 0.1


def test_the_same_seed_makes_the_same_ratings(tmp_path: Path) -> None:
    for name, seed in (("one", 4), ("again", 4), ("other", 5)):
        write_generated(tmp_path / name, 50, 200, seed)
    one, again, other = ((tmp_path / name / "rating.csv").read_bytes() for name in ("one", "again", "other"))
    assert one == again
    assert one != other
