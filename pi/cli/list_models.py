"""``--list-models [WORD...]``: what the catalog knows, as text or as one JSON object.

Needs no key. Without ``--model-catalog-url`` it needs no network either.
"""

from __future__ import annotations

from pi.ai.catalog import Filters, listing
from pi.ai.catalog_store import CatalogSettings, World, load_catalog
from pi.base.cancel import Cancel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pi.ai.catalog import Entry
    from pi.ai.catalog_store import Loaded
    from pi.base.errors import PiError
    from pi.base.host import Host
    from pi.base.http import Transport
    from pi.cli.parse import Parsed


def list_models(parsed: Parsed, host: Host) -> int:
    """Print the entries whose name holds all the words given. Returns the exit code."""
    from pi.cli.json_answer import JsonAnswer  # a prompt reads this module's settings too

    with JsonAnswer("list-models", parsed, host, error_shape):
        return _list(parsed, host)


def _list(parsed: Parsed, host: Host) -> int:
    from pi.cli.signals import CancelOnSignals

    cancel = Cancel()
    with CancelOnSignals(cancel, 0):
        loaded = load_catalog(catalog_settings(parsed), world(parsed, host), cancel)
    if not parsed.values["--quiet"]:
        for note in loaded.notes:
            print(f"[{note}]", file=host.stderr)
    words = tuple(" ".join(parsed.words).split())
    found = loaded.catalog.search(Filters(words))
    if parsed.values["--json"]:
        print(as_json(found, loaded), file=host.stdout)
    else:
        print("\n".join(listing(found, loaded.name)), file=host.stdout)
    return 0


def catalog_settings(parsed: Parsed) -> CatalogSettings:
    """The catalog's flags as values.

    The default cache file lies in the working directory, which may be a folder that
    someone else filled: prices found there could defeat a cost limit. It is read only
    when the user named a catalog flag or variable.
    """
    value: dict[str, Any] = parsed.values
    url = (value["--model-catalog-url"] or "").strip()
    offline = bool(value["--model-catalog-offline"])
    asked = bool(url) or offline or parsed.given("--model-catalog-cache")
    return CatalogSettings(
        url,
        value["--model-catalog-cache"] if asked else "",
        offline,
        value["--model-catalog-stale-after-hours"],
    )


def world(parsed: Parsed, host: Host) -> World:
    """What the catalog needs of the outside, with the network made only when asked for."""

    def transport() -> Transport:
        from pi.base.urllib_http import HttpSettings, UrllibTransport

        bundle, proxy = (str(parsed.values[name] or "") for name in ("--ca-bundle", "--proxy"))
        return UrllibTransport(HttpSettings(bundle, proxy, host.environ))

    return World(transport, host.now_ms, host.random_bytes)


def error_shape(error: PiError) -> dict[str, Any]:
    """The object of a listing that failed."""
    from pi.runtime.report import error_data

    return {"status": "error", "data": None, "errors": [error_data(error)]}


def as_json(found: list[Entry], loaded: Loaded) -> str:
    """The listing as one JSON object."""
    import json  # loaded by the catalog

    from pi.ai.catalog_json import plain_entry

    data = {
        "source": loaded.name,
        "total_matches": len(found),
        "shown": len(found),
        "models": [plain_entry(entry) for entry in found],
    }
    return json.dumps({"status": "ok", "data": data, "errors": []}, sort_keys=True)
