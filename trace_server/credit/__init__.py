"""Violation records: made from numbered decisions only, versioned, published and stopped by dated rules.

The one rule of this package: a scan never lowers a grade. Nothing here knows events, traces or findings.
"""
