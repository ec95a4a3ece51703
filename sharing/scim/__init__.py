"""SCIM 2.0 (RFC 7643, RFC 7644): an organization's directory makes and ends its people's posts."""
