"""Words every room needs: typed UIDs, purposes, domain errors, later(). No models."""
