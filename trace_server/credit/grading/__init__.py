"""Grades as a pure function: values and a dated policy in, a grade with a line for every point out.

The one rule of this package: a scan never lowers a grade. No function here takes an event, an alert, a case, a
complaint or a count of queries, so no policy can ask for one.
"""
