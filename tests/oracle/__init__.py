"""The rules of access once more, apart from the portal, and attempts to get past them."""
