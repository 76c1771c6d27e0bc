"""Lets pytest run what ``python -m unittest discover -s tests/archive`` runs."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
