"""pi: a coding agent in one file. Importing it gives the version and nothing else."""

__version__ = "0.1.0"
