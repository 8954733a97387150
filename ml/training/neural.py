"""Training RecommenderNet in Keras. The only module that knows TensorFlow: import it in a training process alone.

The network is a denoising autoencoder of lists. Part of a member's list is shown, the rest is to be told from
all titles that are not on it, by binary cross-entropy over the whole catalogue; what was shown asks for nothing,
so that the network learns to complete lists, not to copy them. It starts from the factors of an EASE matrix, which
it turns into something non-linear that also knows how long a list is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import scipy.sparse as sp
import tensorflow as tf

from ml.evaluation.metrics import hits, ndcg
from ml.evaluation.splits import Split
from ml.models.content import ContentModel
from ml.models.ease import EaseModel
from ml.models.profiles import ProfileBatch
from ml.models.recommender_net import LOG_TOTAL_UNIT, RecommenderNet
from ml.models.taste import TasteWeights
from ml.training.data import count_rated, entry_matrix
from ml.training.neighbours import nearest_warm
from ml.training.params import NeuralParams
from ml.types import LIKED_RATING

Progress = Callable[[float, str], None]

K = 10
MIN_STEPS_AN_EPOCH = 8
RANDOM_START_SIZE = 0.05
OVERSAMPLING = 20
# Of the progress of fitting: what finding the start takes, and what the epochs take.
START_PERCENT, EPOCHS_PERCENT = 10, 88
# What a member of the loss marks as shown: neither wanted nor unwanted.
SHOWN = -1.0


@dataclass(frozen=True, slots=True)
class LearningCurves:
    """One value an epoch: ``loss`` (cross-entropy a member, in nats), ``ndcg`` (NDCG@10 on held-out members; empty
    without them) and ``seconds`` of training. ``best_epoch`` (from 1) is the one whose weights were kept."""

    loss: tuple[float, ...]
    ndcg: tuple[float, ...]
    seconds: tuple[float, ...]
    best_epoch: int

    def as_dict(self) -> dict[str, Any]:
        """The curves as JSON values, rounded to what can be told apart."""
        return {
            "loss": [round(value, 3) for value in self.loss],
            "ndcg": [round(value, 4) for value in self.ndcg],
            "seconds": [round(value, 2) for value in self.seconds],
            "best_epoch": self.best_epoch,
        }


@dataclass(frozen=True, slots=True)
class Start:
    """What training begins with: ``inputs`` and ``outputs`` float32 (n, d), ``biases`` float32 (n,)."""

    inputs: np.ndarray
    outputs: np.ndarray
    biases: np.ndarray


def fit_recommender_net(
    batch: ProfileBatch,
    content: ContentModel,
    likes: np.ndarray,
    ease: EaseModel | None,
    params: NeuralParams,
    taste: TasteWeights,
    seed: int,
    validation: Split | None = None,
    progress: Progress = lambda percent, message: None,
    epochs: int | None = None,
) -> tuple[RecommenderNet, LearningCurves]:
    """Fit to the members in ``batch``. ``likes``: expected number of likes of every title, (n,). ``ease``, fitted
    to the same members, lends its factors; without it the embeddings start at random. ``validation``: members
    that are in neither; without them all epochs are run and the last is kept. ``epochs``: end after so many of
    ``params.epochs``, with the learning rates that those have. The network comes back compact.

    Titles on too few lists to be trained, or on none, borrow the outputs of their nearest neighbours by content;
    their own expected likes say how popular they are.
    """
    titles = len(content.vectors)
    progress(0, "factors to start from")
    start = find_start(batch, titles, likes, ease, params, seed)
    trained = trained_titles(batch, titles, params)
    network = build_network(start, trained, params, seed)
    batches, steps = training_batches(batch, trained, titles, params, taste, seed)
    schedule = keras.optimizers.schedules.CosineDecay(params.learning_rate, params.epochs * steps)
    network.compile(
        optimizer=keras.optimizers.AdamW(schedule, weight_decay=params.weight_decay),
        loss=cross_entropy_of_hidden,
        jit_compile=True,
    )
    watch = _Watch(lambda: export(network, start, trained, content, params, taste), params, validation, progress)
    network.fit(batches, epochs=epochs or params.epochs, verbose=0, shuffle=False, callbacks=[watch])
    return watch.best, watch.curves()


def trained_titles(batch: ProfileBatch, titles: int, params: NeuralParams) -> np.ndarray:
    """Rows of the titles that are on enough lists, int64; of all that are on any where none is."""
    lists = count_rated(batch, titles)
    return np.flatnonzero(lists >= max(1, min(params.min_lists, lists.max())))


def build_network(start: Start, trained: np.ndarray, params: NeuralParams, seed: int) -> keras.Model:
    """The network for the w titles ``trained`` (rows): weights of entries (m, w) in, logits (m, w) out."""
    count, dimensions = len(trained), start.inputs.shape[1]
    weights = keras.Input((count,), name="weights_of_entries")
    total = keras.ops.sum(weights, axis=1, keepdims=True)
    taken = keras.layers.Dense(dimensions, use_bias=False, name="anime_inputs")(weights)
    length = keras.ops.log1p(keras.ops.maximum(total, 0.0)) / LOG_TOTAL_UNIT
    hidden = keras.layers.Dense(
        params.hidden,
        activation="relu",
        kernel_initializer=keras.initializers.GlorotUniform(seed=seed),
        name="hidden",
    )(keras.layers.Concatenate()([taken, length]))
    bend = keras.layers.Dense(dimensions, kernel_initializer="zeros", name="bend")(hidden)
    user = keras.layers.Add(name="user_embedding")([taken, bend])
    logits = keras.layers.Dense(count, name="anime_outputs")(user * params.logit_scale)
    network = keras.Model(weights, logits, name="recommender_net")
    network.get_layer("anime_inputs").set_weights([start.inputs[trained]])
    network.get_layer("anime_outputs").set_weights([start.outputs[trained].T, start.biases[trained]])
    return network


@keras.saving.register_keras_serializable(package="animerec")
def cross_entropy_of_hidden(wanted: Any, logits: Any) -> Any:
    """Binary cross-entropy (m,), summed over all titles but those that were shown."""
    target = tf.maximum(wanted, 0.0)
    each = tf.maximum(logits, 0.0) - logits * target + tf.math.log1p(tf.exp(-tf.abs(logits)))
    return tf.reduce_sum(tf.where(wanted < 0, 0.0, each), axis=-1)


def training_batches(
    batch: ProfileBatch, trained: np.ndarray, titles: int, params: NeuralParams, taste: TasteWeights, seed: int
) -> tuple[tf.data.Dataset, int]:
    """An endless supply of epochs, each with its own hidden parts, and the number of batches in one.

    Only the entries are kept in memory; what is dense is made a batch at a time.
    """
    size = min(params.batch_members, max(1, len(batch) // MIN_STEPS_AN_EPOCH))
    steps = -(-len(batch) // size)
    # The last batch is filled up from the front: with one shape XLA compiles once.
    order = np.random.default_rng(seed).permutation(len(batch))[np.arange(steps * size) % len(batch)]
    asked = np.select(
        [np.isnan(batch.ratings), batch.ratings < LIKED_RATING],
        [params.unrated_target, params.unliked_target],
        1.0,
    )
    given = entry_matrix(batch, taste.of(batch), titles)[order][:, trained]
    wanted = entry_matrix(batch, asked, titles)[order][:, trained]
    bounds = tf.constant(given.indptr.astype(np.int64))
    columns = tf.constant(given.indices.astype(np.int64))
    weights, targets = tf.constant(given.data), tf.constant(wanted.data)
    shape = [size, len(trained)]

    def dense(step: Any, draw: Any) -> tuple[Any, Any]:
        edges = bounds[step * size : (step + 1) * size + 1]
        span = slice(edges[0], edges[-1])
        owners = tf.repeat(tf.range(size, dtype=tf.int64), edges[1:] - edges[:-1])
        share = tf.random.stateless_uniform([size], [seed, draw], params.shown_least, params.shown_most)
        chance = tf.random.stateless_uniform([edges[-1] - edges[0]], [seed + 1, draw])
        shown = chance < tf.gather(share, owners)
        places = tf.stack([owners, columns[span]], axis=1)
        seen = tf.where(shown, weights[span], 0.0)
        unseen = tf.where(shown, SHOWN, targets[span])
        return tf.ensure_shape(tf.scatter_nd(places, seen, shape), shape), tf.ensure_shape(
            tf.scatter_nd(places, unseen, shape), shape
        )

    numbers = tf.data.Dataset.range(steps).shuffle(steps, seed=seed)
    draws = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True)
    return tf.data.Dataset.zip(numbers, draws).map(dense).prefetch(2), steps


def export(
    network: keras.Model,
    start: Start,
    trained: np.ndarray,
    content: ContentModel,
    params: NeuralParams,
    taste: TasteWeights,
) -> RecommenderNet:
    """The network in NumPy, with rows for all n titles."""
    titles = len(start.biases)
    inputs, outputs, biases = start.inputs.copy(), start.outputs.copy(), start.biases.copy()
    (inputs[trained],) = network.get_layer("anime_inputs").get_weights()
    trained_outputs, biases[trained] = network.get_layer("anime_outputs").get_weights()
    outputs[trained] = trained_outputs.T
    outputs *= np.float32(params.logit_scale)
    others = np.setdiff1d(np.arange(titles), trained)
    if len(others):
        near, closeness = nearest_warm(content, others, trained, params.cold_neighbours)
        bounds = np.arange(0, near.size + 1, near.shape[1])
        place = np.searchsorted(trained, near)
        lent = sp.csr_matrix((closeness.ravel(), place.ravel(), bounds), (len(others), len(trained)))
        outputs[others] = lent @ outputs[trained]
        biases[others] += lent @ (biases[trained] - start.biases[trained])
    hidden_weights, hidden_biases = network.get_layer("hidden").get_weights()
    bend_weights, bend_biases = network.get_layer("bend").get_weights()
    return RecommenderNet(
        inputs=inputs,
        input_scales=np.ones(titles, dtype=np.float32),
        outputs=outputs,
        output_scales=np.ones(titles, dtype=np.float32),
        biases=biases,
        mean_output=outputs.mean(axis=0),
        hidden_weights=hidden_weights,
        hidden_biases=hidden_biases,
        bend_weights=bend_weights,
        bend_biases=bend_biases,
        taste=taste,
    )


def find_start(
    batch: ProfileBatch, titles: int, likes: np.ndarray, ease: EaseModel | None, params: NeuralParams, seed: int
) -> Start:
    """Factors of EASE, or small random numbers without it, and everybody's liking for each title."""
    dimensions = min(params.factors, len(trained_titles(batch, titles, params)))
    if ease is None:
        inputs, outputs = random_factors(titles, dimensions, seed)
    else:
        inputs, outputs = ease_factors(ease, batch, dimensions, params.start_members, seed)
    return Start(inputs, outputs, popularity_logits(likes, len(batch), params.popularity_share))


def popularity_logits(likes: np.ndarray, members: int, share: float) -> np.ndarray:
    """``share`` of the logit of the rate at which members like each title, float32 (n,); at a share of 0 all
    titles start as the average one."""
    rate = np.clip(likes / max(members, 1), 0.1 / (members + 1), 1 - 0.5 / (members + 1))
    logits = np.log(rate / (1 - rate))
    return (share * logits + (1 - share) * logits.mean()).astype(np.float32)


def random_factors(titles: int, dimensions: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Small random inputs and outputs, each float32 (titles, dimensions)."""
    draw = np.random.default_rng(seed)
    inputs, outputs = (RANDOM_START_SIZE * draw.standard_normal((2, titles, dimensions))).astype(np.float32)
    return inputs, outputs


def ease_factors(
    ease: EaseModel, batch: ProfileBatch, dimensions: int, most_members: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Inputs U and outputs V, float32 (n, dimensions), such that X U V' is as near as can be to X B, the scores
    that EASE gives the members: the reduced-rank regression of EASE's answers. Cutting B itself to so few
    dimensions would spend most of them on titles that hardly anybody has.

    By a randomised range finder (Halko, Martinsson and Tropp, SIAM Review 2011), which never forms X B.
    """
    count = len(ease.scales)
    draw = np.random.default_rng(seed)
    chosen = np.sort(draw.permutation(len(batch))[:most_members])
    entries = entry_matrix(batch, ease.taste.of(batch), count)[chosen]
    strength = np.repeat(ease.scales, np.diff(ease.indptr))
    weights = sp.csr_matrix((strength * ease.weights, ease.targets.astype(np.int32), ease.indptr), (count, count))
    answers = entries @ (weights @ draw.standard_normal((count, dimensions + OVERSAMPLING), dtype=np.float32))
    for _ in range(2):
        basis, _ = np.linalg.qr(answers)
        directions, _ = np.linalg.qr(weights.T @ (entries.T @ basis))
        answers = entries @ (weights @ directions)
    _, _, rotation = np.linalg.svd(answers, full_matrices=False)
    found = directions @ rotation.T[:, :dimensions]
    outputs = np.zeros((count, dimensions), dtype=np.float32)
    outputs[:, : found.shape[1]] = found
    return (weights @ outputs).astype(np.float32), outputs


def mean_ndcg(scores: np.ndarray, split: Split) -> float:
    """Mean NDCG@10 of lists by ``scores`` (m, n), nothing that was shown in them, over the people who liked
    something that was held out; 0 where nobody did."""
    eligible = scores.copy()
    eligible[split.shown.owners(), split.shown.rows] = -np.inf
    values = []
    for own, liked in zip(eligible, split.liked(), strict=True):
        if len(liked):
            best = np.argsort(-own, kind="stable")[:K]
            values.append(ndcg(hits(best.tolist(), set(liked.tolist()), K), len(liked)))
    return float(np.mean(values)) if values else 0.0


class _Watch(keras.callbacks.Callback):
    """Keeps the curves and the best network, and stops training when it no longer gets better."""

    def __init__(
        self,
        exported: Callable[[], RecommenderNet],
        params: NeuralParams,
        validation: Split | None,
        progress: Progress,
    ) -> None:
        super().__init__()
        self.best: RecommenderNet
        self._exported = exported
        self._params = params
        self._validation = validation
        self._progress = progress
        self._loss: list[float] = []
        self._ndcg: list[float] = []
        self._seconds: list[float] = []
        self._best_epoch = 0
        self._began = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._seconds.append(time.perf_counter() - self._began)
        self._loss.append(float(logs["loss"]))
        epochs = self.params["epochs"]
        message = f"epoch {epoch + 1} of {epochs}, loss {self._loss[-1]:.1f}"
        if self._validation is not None:
            net = self._exported().compact()
            self._ndcg.append(mean_ndcg(net.scores(self._validation.shown), self._validation))
            message += f", held-out NDCG@{K} {self._ndcg[-1]:.3f}"
            if self._ndcg[-1] > max(self._ndcg[:-1], default=-1.0):
                self.best, self._best_epoch = net, epoch + 1
            self.model.stop_training = epoch + 1 - self._best_epoch >= self._params.patience
        self._progress(START_PERCENT + EPOCHS_PERCENT * (epoch + 1) / epochs, message)

    def on_train_end(self, logs: Any = None) -> None:
        if self._validation is None:
            self.best, self._best_epoch = self._exported().compact(), len(self._loss)

    def curves(self) -> LearningCurves:
        return LearningCurves(tuple(self._loss), tuple(self._ndcg), tuple(self._seconds), self._best_epoch)
