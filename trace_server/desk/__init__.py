"""The producers' desk: a company's batches, labels, archive and API clients, and nothing of another company."""
