"""Measuring lists against ratings that were held out."""
