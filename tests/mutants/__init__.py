"""Seeded faults: one-place changes of our source, each of which must turn a named test red."""
