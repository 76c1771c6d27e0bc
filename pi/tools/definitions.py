"""What a model is told about each tool. By itself, because every run sends these and many
runs call no tool: the code behind them is loaded with the first call."""

from __future__ import annotations

from pi.ai.types import ToolDefinition

GREP_LIMIT = 100
FIND_LIMIT = 1000
LS_LIMIT = 500

_FIND_TEXT = {"type": "string", "description": "Text to replace, exactly as it is in the file"}
_REPLACE_TEXT = {"type": "string", "description": "Text to put in its place"}
_ALL = {"type": "boolean", "default": False, "description": "Replace every match"}

READ = ToolDefinition(
    "read",
    "Read a text file or an image from disk, or list a directory. Long files come in parts: "
    "use offset and limit to go on",
    {
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "Path to read"},
            "offset": {
                "type": "integer",
                "minimum": 1,
                "description": "First line to read, counted from 1",
            },
            "limit": {"type": "integer", "minimum": 1, "description": "Number of lines to read"},
        },
        "required": ["path"],
        "additionalProperties": False,
    },
)

WRITE = ToolDefinition(
    "write",
    "Write UTF-8 text to disk, creating parent directories if needed",
    {
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "Path to write"},
            "content": {"type": "string", "description": "The whole new content of the file"},
        },
        "required": ["path", "content"],
        "additionalProperties": False,
    },
)

EDIT = ToolDefinition(
    "edit",
    "Edit a file by replacing an existing string, which must be in the file exactly once "
    "unless all is set. Several changes of one file go into edits; all are applied or none",
    {
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "Path to edit"},
            "find": _FIND_TEXT,
            "replace": _REPLACE_TEXT,
            "all": _ALL,
            "edits": {
                "type": "array",
                "description": "Several replacements instead of find and replace; "
                "each is matched against the file as it is now",
                "items": {
                    "type": "object",
                    "properties": {"find": _FIND_TEXT, "replace": _REPLACE_TEXT, "all": _ALL},
                    "required": ["find", "replace"],
                    "additionalProperties": False,
                },
            },
        },
        "required": ["path"],
        "additionalProperties": False,
    },
)

BASH = ToolDefinition(
    "bash",
    "Execute a shell command. Its standard input is empty; long output is cut to its end; "
    "add 2>&1 where the order of output and error lines matters",
    {
        "type": "object",
        "properties": {
            "command": {"type": "string", "description": "Command to execute"},
            "cwd": {"type": "string", "description": "Directory to run it in"},
            "timeout": {
                "type": "number",
                "minimum": 0,
                "description": "Seconds after which it is ended; may only lower the limit",
            },
        },
        "required": ["command"],
        "additionalProperties": False,
    },
)

GREP = ToolDefinition(
    "grep",
    "Search file contents for a pattern. Gives 'file:line: text', paths relative to the "
    "directory searched. Respects .gitignore, includes hidden files, skips binary files",
    {
        "type": "object",
        "properties": {
            "pattern": {
                "type": "string",
                "description": "Regular expression (Python), or text if literal is set",
            },
            "path": {
                "type": "string",
                "description": "Directory or file to search (default: current directory)",
            },
            "glob": {"type": "string", "description": "Only these files, e.g. '*.{js,ts}'"},
            "ignoreCase": {"type": "boolean", "description": "Ignore case (default false)"},
            "literal": {
                "type": "boolean",
                "description": "Take the pattern as text (default false)",
            },
            "context": {
                "type": "integer",
                "minimum": 0,
                "description": "Lines to show before and after each match (default 0)",
            },
            "limit": {
                "type": "integer",
                "minimum": 1,
                "description": f"Most matches to return (default {GREP_LIMIT})",
            },
        },
        "required": ["pattern"],
        "additionalProperties": False,
    },
)

FIND = ToolDefinition(
    "find",
    "Find files and directories by a glob pattern. Paths are relative to the directory "
    "searched, '/' after directories. Respects .gitignore, includes hidden files",
    {
        "type": "object",
        "properties": {
            "pattern": {
                "type": "string",
                "description": "Glob, e.g. '*.py' (any depth), 'src/**/test_*.{js,ts}'",
            },
            "path": {"type": "string", "description": "Directory to search (default: current)"},
            "limit": {
                "type": "integer",
                "minimum": 1,
                "description": f"Most results to return (default {FIND_LIMIT})",
            },
        },
        "required": ["pattern"],
        "additionalProperties": False,
    },
)

LS = ToolDefinition(
    "ls",
    "List a directory: names in alphabetical order, '/' after directories, dotfiles included",
    {
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "Directory to list (default: current)"},
            "limit": {
                "type": "integer",
                "minimum": 1,
                "description": f"Most entries to return (default {LS_LIMIT})",
            },
        },
        "required": [],
        "additionalProperties": False,
    },
)

DEFINITIONS: dict[str, ToolDefinition] = {
    definition.name: definition for definition in (READ, WRITE, EDIT, BASH, GREP, FIND, LS)
}
