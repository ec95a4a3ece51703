"""DICOM bytes in, facts out: scan, JSON model, frame table, render, transcode. No database."""
