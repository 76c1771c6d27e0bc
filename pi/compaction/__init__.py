"""Keeping a conversation within the model's window: old messages become a summary.

Nothing is deleted: the whole history stays in the session file.
"""
