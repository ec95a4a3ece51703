"""The viewer face: one page per study, and the pulse that says whether it may still be seen."""
