"""Registers of what may be issued and used: tag ranges with their quotas (赋码范围)."""
