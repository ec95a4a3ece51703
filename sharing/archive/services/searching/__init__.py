"""Searching for studies, series and instances inside the fence, by what DICOM calls matching keys
(PS3.4 C.2.2.2, PS3.18 10.6). All of it is SQL: no object is made for a row.
"""

from .finding import search_instances, search_series, search_studies
from .keys import KEYS, Level, searchable
from .query import MOST, Found, Query

__all__ = [
    "KEYS",
    "MOST",
    "Found",
    "Level",
    "Query",
    "search_instances",
    "search_series",
    "search_studies",
    "searchable",
]
