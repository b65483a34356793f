"""A made-up year of a city, from a seed: every screen and every query has something to show.

All persons, companies and numbers are invented; master data, events and decisions go through the same operations as
real ones.
"""
