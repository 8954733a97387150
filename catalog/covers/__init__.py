"""Covers for titles without an image: a small poster in SVG, drawn from what the catalogue knows."""

from catalog.covers.poster import COVER_HEIGHT, COVER_WIDTH, Subject, draw_cover

__all__ = ["COVER_HEIGHT", "COVER_WIDTH", "Subject", "draw_cover"]
