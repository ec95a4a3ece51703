"""Django's SQLite, with a better queue at the door of its one writer (base.py)."""
