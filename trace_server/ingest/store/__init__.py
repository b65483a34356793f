"""Every SQL statement of the capture path: `capture` writes, `held` quarantine and alarms, `stream` order and followers,
`events` look-ups. Functions take a connection inside a transaction.
"""
