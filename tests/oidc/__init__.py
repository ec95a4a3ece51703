"""A certified OpenID Connect provider of a hospital, run by Node beside the tests."""
