"""``python -m pi``: the same program as ``pi.pyz``, run from a checkout."""

from __future__ import annotations

import sys

from pi.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
