"""Slash commands: one table, one handler each, the result first and the words second."""
