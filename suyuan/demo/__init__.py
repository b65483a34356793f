"""The demo: starts every part as a process of its own, plays a seeded world, and judges what arrived."""
