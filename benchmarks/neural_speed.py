"""How many interactions a second RecommenderNet trains on, beside the reference recipe in plain Keras ``fit``.

An interaction is a row of the ratings: a member and a title on their list. The recipe learns from each by itself:
the dot product of a member's and a title's normalised embedding of 128 numbers, through a sigmoid, is to equal the
rating scaled to 0 to 1 (binary cross-entropy, Adam, batches of 10,000 out of arrays). RecommenderNet sees a list at
once, each of its rows once an epoch, and beside them all titles that are not on it.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.conditions import Unavailable

EPOCHS = 8
DIMENSIONS = 128
BATCH_ROWS = 10_000
BOUND = 2.0


def run(data: Path) -> list[str]:
    if not (data / "rating.csv").is_file():
        raise Unavailable(f"{data} holds no rating.csv")
    # TensorFlow takes seconds to load: not before it is known that there is something to measure.
    from ml.reading import read_dataset
    from ml.training import pipeline
    from ml.training.neural import fit_recommender_net
    from ml.training.params import NeuralParams, Params
    from ml.training.popularity import expected_likes

    params = Params()
    prepared = pipeline.prepare(read_dataset(data), params)
    batch = prepared.members.batch
    content = pipeline.fit_content_part(prepared, params)
    likes = expected_likes(batch, prepared.catalogue, content, params.titles.unreleased_likes_share)
    ease = pipeline.fit_ease_part(prepared, prepared.members, content, params)
    reference = _reference_seconds(batch.owners(), batch.rows, batch.ratings)
    start = time.perf_counter()
    _net, curves = fit_recommender_net(
        batch, content, likes, ease, replace(NeuralParams(), epochs=EPOCHS), params.ease_taste(), params.seed
    )
    whole = time.perf_counter() - start
    ours = min(curves.seconds)
    rows = len(batch.rows)
    return [
        f"{rows:,} interactions of {len(prepared.members):,} members, {EPOCHS} epochs each, the quickest counts",
        f"reference recipe, plain fit   {rows / reference / 1e6:6.2f} million interactions a second",
        f"RecommenderNet                {rows / ours / 1e6:6.2f} million interactions a second",
        f"ratio                         {reference / ours:6.2f} (bound: {BOUND:.0f}) "
        f"{'ok' if reference / ours >= BOUND else 'TOO SLOW'}",
        f"RecommenderNet, all of it     {whole:6.2f} s (start, compilation, {EPOCHS} epochs, export)",
    ]


def _reference_seconds(members: Any, titles: Any, ratings: Any) -> float:
    """Seconds of the reference recipe's quickest epoch."""
    import keras
    import numpy as np

    member = keras.Input((), dtype="int32")
    title = keras.Input((), dtype="int32")
    members_table = keras.layers.Embedding(int(members.max()) + 1, DIMENSIONS)(member)
    titles_table = keras.layers.Embedding(int(titles.max()) + 1, DIMENSIONS)(title)
    closeness = keras.layers.Dot(axes=1, normalize=True)([members_table, titles_table])
    answer = keras.layers.Dense(1, activation="sigmoid")(closeness)
    model = keras.Model([member, title], answer)
    model.compile(loss="binary_crossentropy", optimizer="adam", jit_compile=False)
    # The recipe takes "not rated" for the lowest rating.
    known = np.where(np.isnan(ratings), -1, ratings)
    scaled = ((known - known.min()) / (known.max() - known.min())).astype(np.float32)
    seconds: list[float] = []

    class Clock(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.began = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            seconds.append(time.perf_counter() - self.began)

    model.fit(
        [members.astype(np.int32), titles.astype(np.int32)],
        scaled,
        batch_size=BATCH_ROWS,
        epochs=EPOCHS,
        verbose=0,
        callbacks=[Clock()],
    )
    return min(seconds)
