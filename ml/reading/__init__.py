"""Reading data files: the public Kaggle layouts, our own snapshots, profiles and lists of ids.

Reading is strict. Whatever is wrong is an :class:`ml.types.InputError` whose text names the file, the line
and the reason; nothing is skipped in silence.
"""

from ml.reading.catalogue import Catalogue, read_catalogue
from ml.reading.dataset import Dataset, fingerprint, read_dataset
from ml.reading.ratings import Interactions, read_anime_ids, read_interactions

__all__ = [
    "Catalogue",
    "Dataset",
    "Interactions",
    "fingerprint",
    "read_anime_ids",
    "read_catalogue",
    "read_dataset",
    "read_interactions",
]
