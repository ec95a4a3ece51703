"""What pages ask, parsed at the door."""
