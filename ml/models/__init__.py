"""The models as they serve: NumPy arrays in, scores and reasons out. Fitting them is `ml.training`'s job."""
