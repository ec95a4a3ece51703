"""A SAML identity provider of a hospital, and what a forger would send in its name."""
