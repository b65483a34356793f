"""Official tables (双公示 and others) as CSV, XLSX or JSON → the registers that keep such things.

One rule: a table is no second way in. Each row goes through the operation that a person's entry goes through, and a
row that it refuses waits in quarantine with its reason.
"""
