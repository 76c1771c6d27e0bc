"""``--print-config``: every value, and where it came from. Secrets are never shown."""

from __future__ import annotations

from pi.base.errors import UsageError
from pi.base.text import cut_head, is_credential, redact, secret_values
from pi.cli.config_files import survey
from pi.cli.config_rules import is_for_one_run
from pi.cli.flags import FLAGS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pi.base.host import Host
    from pi.cli.flag import Flag
    from pi.cli.parse import Parsed

SET = "(set)"
MAX_SHOWN = 200  # bytes of one value in the text form


def print_config(parsed: Parsed, host: Host) -> int:
    """Print the values, those whose names hold one of the words if there are words."""
    from pi.base.text import visible
    from pi.commands.result import Result, render_json

    words = " ".join(parsed.words).lower().split()
    rows = report(parsed, host)
    if words:
        names = [row["name"] for row in rows]
        rows = [row for row in rows if any(word in row["name"] for word in words)]
        if not rows:
            error = _no_such_setting(words, names)
            if parsed.values["--json"]:
                print(render_json("print-config", Result(error=error)), file=host.stdout)
            raise error
    files = [
        {"level": found.level, "path": found.path, "state": found.state}
        for found in survey(parsed, host)
    ]
    if parsed.values["--json"]:
        lines = [render_json("print-config", Result(data={"values": rows, "files": files}))]
    else:
        lines = [f"# {row['level']} settings: {row['path']} ({row['state']})" for row in files]
        lines += map(line_of, rows)
    for line in lines:
        text = line if parsed.values["--json"] else visible(line)
        print(text.encode("utf-8", "replace").decode("utf-8"), file=host.stdout)
    return 0


def _no_such_setting(words: list[str], names: list[str]) -> UsageError:
    from pi.commands.suggest import did_you_mean

    near = did_you_mean(words[0].lstrip("-"), names)
    return UsageError(
        f"--print-config: no setting has {' or '.join(map(repr, words))} in its name",
        hint=" ".join(near) or "without words it lists them all",
    )


def report(parsed: Parsed, host: Host) -> list[dict[str, Any]]:
    """One row for each flag: name without dashes, value, source, where. What makes sense
    for one run only is there if it was given."""
    secrets = secret_values(host.environ)
    return [
        {
            "name": flag.name[2:],
            "value": _shown(flag, parsed.values[flag.name], secrets),
            "source": parsed.sources[flag.name],
            "where": parsed.where.get(flag.name),
        }
        for flag in FLAGS
        if not is_for_one_run(flag)
        or (parsed.given(flag.name) and flag.name not in ("--print-config", "--json"))
    ]


def line_of(row: dict[str, Any]) -> str:
    """A row for a person."""
    import json  # loaded anyway

    value = row["value"]
    text = value if value == SET else json.dumps(value, ensure_ascii=False)
    if len(text.encode("utf-8", "replace")) > MAX_SHOWN:
        text = cut_head(text, MAX_SHOWN) + "..."
    where = f" {row['where']}" if row["where"] else ""
    return f"{row['name']} = {text}  [{row['source']}{where}]"


def _shown(flag: Flag, value: object, secrets: tuple[str, ...]) -> object:
    """``value`` without what must not be read off a screen or a log."""
    if flag.kind == "secret":
        return SET if value else None
    if isinstance(value, tuple):
        return [_item(flag, str(item), secrets) for item in value]
    return _item(flag, value, secrets) if isinstance(value, str) else value


def _item(flag: Flag, text: str, secrets: tuple[str, ...]) -> str:
    if flag.name == "--header":
        name, sign, _ = text.partition("=" if "=" in text.split(":")[0] else ":")
        if sign and is_credential(name.strip()):
            return f"{name}{sign}{SET}"
    if flag.name == "--bash-env":
        name, sign, _ = text.partition("=")
        return f"{name}{sign}{SET}" if sign else text
    scheme, sign, rest = text.partition("://")
    place, at, host = rest.rpartition("@")
    if sign and "?" in rest:
        from pi.base.shown_url import shown_url  # only for such addresses

        text = shown_url(text)
    elif sign and at and "/" not in place:
        text = f"{scheme}://{SET}@{host}"
    return redact(text, secrets)
