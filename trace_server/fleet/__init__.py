"""Gateways in the field: how each is, which settings it runs with, and what became of them."""
