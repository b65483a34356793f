"""Recalls (召回): which goods are affected and why, who holds them, who was told, and whether the sums close."""
