"""The recommender as a library: it runs without Django, and serving needs NumPy alone."""
