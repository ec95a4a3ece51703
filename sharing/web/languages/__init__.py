"""English and Simplified Chinese (ADR-017): templates are written in plain English, and what stands
in them between tags is looked up in the catalogue when they are loaded; sentences that rules and
the log make are looked up where a page says them.
"""
