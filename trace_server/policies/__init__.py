"""Versions of the grading policy: drafted, simulated, reviewed, approved by two, active from a day, compared."""
