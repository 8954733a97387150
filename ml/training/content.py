"""Fitting the content model: vectors from synopsis, genres, type, source, studio and era."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from ml.models.content import ContentModel
from ml.models.taste import TasteWeights
from ml.reading import Catalogue

ERA_YEARS = 8.0


@dataclass(frozen=True, slots=True)
class ContentParams:
    """``*_weight``: how much of the squared cosine a block of features carries where a title has it.
    ``synopsis_factors``, ``studio_factors``: dimensions the words and studios are pressed into."""

    genre_weight: float = 1.0
    type_weight: float = 0.15
    synopsis_weight: float = 0.6
    source_weight: float = 0.1
    studio_weight: float = 0.3
    era_weight: float = 0.15
    synopsis_factors: int = 64
    studio_factors: int = 24
    min_word_titles: int = 3
    franchise_bonus: float = 1.0
    rating_weight: float = 1.0
    unrated: float = 0.4
    lowest: float = -1.0


def fit_content(catalogue: Catalogue, params: ContentParams, taste: TasteWeights, seed: int) -> ContentModel:
    """Vectors of all titles. Everything is known about a title before anybody has rated it."""
    frame = catalogue.frame
    blocks = (
        (params.genre_weight, _names_block(frame["genres"])),
        (params.type_weight, _names_block((name,) if name else () for name in frame["type"])),
        (params.source_weight, _names_block((name,) if name else () for name in frame["source"])),
        (params.studio_weight, _pressed(_names_block(frame["studios"]), params.studio_factors, seed)),
        (params.synopsis_weight, _synopsis_block(frame["synopsis"], params, seed)),
        (params.era_weight, _era_block(frame["aired"])),
    )
    vectors = np.hstack([np.sqrt(weight) * _unit(block) for weight, block in blocks])
    return ContentModel(
        vectors=_unit(vectors).astype(np.float32),
        franchise=frame["franchise"].to_numpy().astype(np.int32),
        taste=taste,
        franchise_bonus=params.franchise_bonus,
    )


def _names_block(lists: Iterable[tuple[str, ...]]) -> np.ndarray:
    """One column for every name that at least two titles have, weighted by how rare it is."""
    lists = list(lists)
    counts = pd.Series([name for names in lists for name in names], dtype=object).value_counts()
    column = {name: number for number, name in enumerate(sorted(counts.index[counts > 1]))}
    block = np.zeros((len(lists), len(column)))
    for row, names in enumerate(lists):
        for name in names:
            if name in column:
                block[row, column[name]] = np.log(len(lists) / counts[name]) + 0.1
    return block


def _synopsis_block(texts: pd.Series, params: ContentParams, seed: int) -> np.ndarray:
    written = (texts != "").to_numpy()
    if written.sum() < 2 * params.min_word_titles:
        return np.zeros((len(texts), 0))
    words = TfidfVectorizer(
        sublinear_tf=True, stop_words="english", min_df=params.min_word_titles, max_df=0.3, dtype=np.float32
    )
    try:
        matrix = words.fit_transform(texts[written])
    except ValueError:  # no word stands in enough of the synopses
        return np.zeros((len(texts), 0))
    pressed = _pressed(matrix, params.synopsis_factors, seed)
    block = np.zeros((len(texts), pressed.shape[1]))
    block[written] = pressed
    return block


def _pressed(matrix: np.ndarray, factors: int, seed: int) -> np.ndarray:
    """The matrix in at most ``factors`` columns that keep most of its inner products."""
    if matrix.shape[1] <= factors:
        return matrix.toarray() if hasattr(matrix, "toarray") else matrix
    return TruncatedSVD(factors, random_state=seed).fit_transform(matrix)


def _era_block(aired: pd.Series) -> np.ndarray:
    """Years as angles on a quarter circle: the cosine of two titles falls with the years between them."""
    known = aired.notna().to_numpy()
    angle = np.nan_to_num((aired.to_numpy() - 1995) / ERA_YEARS).clip(-4, 4) * np.pi / 8
    return np.where(known[:, None], np.stack([np.cos(angle), np.sin(angle)], axis=1), 0.0)


def _unit(block: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(block, axis=1, keepdims=True)
    return np.divide(block, length, out=np.zeros_like(block, dtype=np.float64), where=length > 0)
