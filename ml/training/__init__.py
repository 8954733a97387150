"""Training: from data files to a bundle. The only part of the library that needs pandas, SciPy and scikit-learn."""
