"""What a hostile but honest reader tries: each of these failed once."""
