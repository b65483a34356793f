"""Registers of what may be issued and used (赋码范围), and of parties beside the business register: persons, names,
old codes, premises, papers, judgments."""
