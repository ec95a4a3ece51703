"""Words and marks of the pages."""
