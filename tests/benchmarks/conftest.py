"""The small worlds of the recommender's own tests."""

from tests.ml.conftest import bundle, fandoms_dir

__all__ = ["bundle", "fandoms_dir"]
