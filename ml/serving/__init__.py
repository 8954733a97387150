"""Serving: a bundle in, recommendations out. Needs NumPy and the standard library, nothing else."""

from ml.artifacts import BundleError
from ml.serving.loading import load_recommender, open_recommender
from ml.serving.recommender import Recommender

__all__ = ["BundleError", "Recommender", "load_recommender", "open_recommender"]
