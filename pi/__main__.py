"""``python -m pi``: the same program as ``pi.pyz``, run from a checkout."""

from __future__ import annotations

from pi.cli.main import run

if __name__ == "__main__":
    run()
