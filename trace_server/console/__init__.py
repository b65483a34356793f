"""The regulator's console: worklist, alerts, cases. Pages only: each change is another module's use case."""
