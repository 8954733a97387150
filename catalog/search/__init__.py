"""Finding titles by the names people know them by, and forgiving how they are spelt."""

from catalog.search.finding import closest, comes_close, search

__all__ = ["closest", "comes_close", "search"]
