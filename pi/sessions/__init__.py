"""Conversations on disk, as append-only JSON lines."""
