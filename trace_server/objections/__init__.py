"""Objections (异议): a subject says that a record, a list entry or a commitment is wrong; it is marked until decided."""
