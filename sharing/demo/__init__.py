"""The demonstration region: phantoms drawn from mathematics, and the story they take part in."""
