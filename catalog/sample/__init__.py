"""The project's own sample: real anime described by us, and ratings by members who never lived.

Runs without Django: `python -m catalog.sample --out DIR` writes it in the public Kaggle layout, from where it
takes the same road into the site as any other data set.
"""
