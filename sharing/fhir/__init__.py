"""FHIR R4 as partners expect it: what the rooms know, in the standard's resources."""
