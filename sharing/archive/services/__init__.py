"""Verbs of the archive, by theme; faces import from the theme's module."""
