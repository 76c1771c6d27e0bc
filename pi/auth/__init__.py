"""Credentials: which one a provider gets."""
