"""Parts that a portal may be installed without."""

from functools import lru_cache
from importlib.util import find_spec


@lru_cache(maxsize=1)
def has_saml() -> bool:
    """Whether requirements-saml.txt is installed: sign-in by SAML needs lxml and xmlsec."""
    return all(find_spec(name) is not None for name in ("onelogin", "xmlsec"))
