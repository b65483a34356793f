"""Objections (异议): a subject says that what is recorded of it is wrong; it is marked until somebody decides."""
