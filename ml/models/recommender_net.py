"""RecommenderNet as it is served: the network's weights and its forward pass in NumPy.

A person's embedding is computed from their list, so that people whom training never saw are served like all
others: the embeddings of the titles on the list, weighted by their ratings, are added up, and a hidden layer
bends the sum. The score of a title is the logit of its being on the person's list and liked. Where nothing on the
list is known the network has nothing to say: all scores are 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from ml.models.base import Arrays
from ml.models.profiles import ProfileBatch, segment_sums
from ml.models.taste import TasteWeights

# The logarithm of the summed weights of a list of 150 titles is about 5: the hidden layer sees numbers near 1.
LOG_TOTAL_UNIT = 5.0
BLOCK_TITLES = 1024
BLOCK_PROFILES = 256
INT8_MAX = 127


@dataclass(frozen=True, slots=True)
class RecommenderNet:
    """n titles, embeddings of d numbers, h hidden units.

    ``inputs`` (n, d): what a title on the list adds to the person's embedding, a row of zeros where nobody in
    training had it. ``outputs`` (n, d): what a person's embedding is compared with. Both are float32 or, after
    :meth:`compact`, int8, to be multiplied by ``input_scales`` and ``output_scales``, float32 (n,).
    ``biases`` float32 (n,). ``mean_output`` float32 (d,): the mean row of the outputs.
    ``hidden_weights`` (d + 1, h), ``hidden_biases`` (h,), ``bend_weights`` (h, d) and ``bend_biases`` (d,), all
    float32: the hidden layer, which sees the sum and the length of the list, and what it adds to the sum.
    """

    name: ClassVar[str] = "recommender_net"
    inputs: np.ndarray
    input_scales: np.ndarray
    outputs: np.ndarray
    output_scales: np.ndarray
    biases: np.ndarray
    mean_output: np.ndarray
    hidden_weights: np.ndarray
    hidden_biases: np.ndarray
    bend_weights: np.ndarray
    bend_biases: np.ndarray
    taste: TasteWeights

    def scores(self, batch: ProfileBatch) -> np.ndarray:
        users = self.user_embeddings(batch)
        result = np.empty((len(batch), len(self.biases)), dtype=np.float32)
        # By blocks, which stay in the processor's cache between being unpacked and being multiplied.
        for start in range(0, len(self.biases), BLOCK_TITLES):
            span = slice(start, start + BLOCK_TITLES)
            np.matmul(users, self.outputs[span].astype(np.float32).T, out=result[:, span])
        result *= self.output_scales
        result += self.biases
        result[batch.sizes == 0] = 0
        return result

    def scores_of(self, batch: ProfileBatch, rows: np.ndarray) -> np.ndarray:
        """Scores of the titles ``rows`` alone, float32 (m, number of rows): much cheaper than all of them."""
        result = self.user_embeddings(batch) @ self._output_rows(rows).T + self.biases[rows]
        result[batch.sizes == 0] = 0
        return result

    def user_embeddings(self, batch: ProfileBatch) -> np.ndarray:
        """The embeddings of m people, float32 (m, d)."""
        weights = self.taste.of(batch)
        sums = np.zeros((len(batch), self.inputs.shape[1]), dtype=np.float32)
        for index in range(len(batch)):
            part = slice(batch.indptr[index], batch.indptr[index + 1])
            rows = batch.rows[part]
            sums[index] = (weights[part] * self.input_scales[rows]) @ self.inputs[rows].astype(np.float32)
        return self._bent(sums, segment_sums(weights, batch.indptr))

    def _bent(self, sums: np.ndarray, totals: np.ndarray) -> np.ndarray:
        """Embeddings from weighted sums of titles, float32 (m, d), and the sums of the weights (m,)."""
        length = (np.log1p(np.maximum(totals, 0)) / LOG_TOTAL_UNIT).astype(np.float32)
        seen = np.concatenate([sums, length[:, None]], axis=1)
        hidden = np.maximum(seen @ self.hidden_weights + self.hidden_biases, 0)
        return sums + hidden @ self.bend_weights + self.bend_biases

    def contributions(self, profile: ProfileBatch, targets: np.ndarray) -> np.ndarray:
        """How much lower the scores of ``targets`` would be if the title were not on the list: exact, at the
        price of one pass for each title. The network is not linear and without a rating the person's mean is
        another, so the columns do not sum to the score. The only title of a list is compared with what the
        network would make of a list of weight 0."""
        outputs = self._output_rows(targets).T
        result = np.empty((len(profile.rows), len(targets)), dtype=np.float32)
        for span, difference in self._embeddings_lost(profile):
            result[span] = difference @ outputs
        return result

    def mean_contributions(self, profile: ProfileBatch) -> np.ndarray:
        result = np.empty(len(profile.rows), dtype=np.float32)
        for span, difference in self._embeddings_lost(profile):
            result[span] = difference @ self.mean_output
        return result

    def _embeddings_lost(self, profile: ProfileBatch) -> Iterator[tuple[slice, np.ndarray]]:
        """The person's embedding less the one they would have without each title of the list, in blocks."""
        size = len(profile.rows)
        if not size:
            return
        whole = self.user_embeddings(profile)
        embeddings = self.inputs[profile.rows].astype(np.float32) * self.input_scales[profile.rows][:, None]
        others = np.arange(size - 1)
        for start in range(0, size, BLOCK_PROFILES):
            left_out = np.arange(start, min(start + BLOCK_PROFILES, size))
            kept = others + (others >= left_out[:, None])
            without = ProfileBatch(
                indptr=np.arange(len(left_out) + 1, dtype=np.int64) * (size - 1),
                rows=profile.rows[kept].ravel(),
                ratings=profile.ratings[kept].ravel(),
                statuses=profile.statuses[kept].ravel(),
            )
            weights = np.zeros((len(left_out), size), dtype=np.float32)
            np.put_along_axis(weights, kept, self.taste.of(without).reshape(kept.shape), axis=1)
            yield slice(start, left_out[-1] + 1), whole - self._bent(weights @ embeddings, weights.sum(axis=1))

    def _output_rows(self, rows: np.ndarray) -> np.ndarray:
        return self.outputs[rows].astype(np.float32) * self.output_scales[rows][:, None]

    def compact(self) -> Self:
        """The same network with embeddings of 8 bits a number: a quarter of the size."""
        inputs, input_scales = _whole_numbers(self.inputs, self.input_scales)
        outputs, output_scales = _whole_numbers(self.outputs, self.output_scales)
        return replace(
            self,
            inputs=inputs,
            input_scales=input_scales,
            outputs=outputs,
            output_scales=output_scales,
            mean_output=(output_scales @ outputs.astype(np.float32)) / np.float32(len(outputs)),
        )

    def arrays(self) -> dict[str, np.ndarray]:
        return {
            "inputs": self.inputs,
            "input_scales": self.input_scales,
            "outputs": self.outputs,
            "output_scales": self.output_scales,
            "biases": self.biases,
            "mean_output": self.mean_output,
            "hidden_weights": self.hidden_weights,
            "hidden_biases": self.hidden_biases,
            "bend_weights": self.bend_weights,
            "bend_biases": self.bend_biases,
        }

    def settings(self) -> dict[str, Any]:
        return {"taste": asdict(self.taste)}

    @classmethod
    def restore(cls, arrays: Arrays, settings: Mapping[str, Any]) -> Self:
        return cls(**arrays, taste=TasteWeights(**settings["taste"]))


def _whole_numbers(table: np.ndarray, scales: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A table as int8 with a scale for each row."""
    values = table.astype(np.float32) * scales[:, None]
    largest = np.abs(values).max(axis=1, initial=0)
    scales = (largest / INT8_MAX).astype(np.float32)
    divisor = np.where(scales > 0, scales, np.float32(1))
    return np.rint(values / divisor[:, None]).astype(np.int8), scales
