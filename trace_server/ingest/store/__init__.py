"""Every SQL statement of the capture path; functions take a connection inside a transaction.

`capture` writes, `held` is quarantine and alarms, `stream` the order and its followers, `events` look-ups.
"""
