"""Variables that decide which program runs, what it loads, or how the shell reads text."""

from __future__ import annotations


def listed(text: str) -> frozenset[str]:
    """The names in a table that is written as text."""
    return frozenset(text.split())


# What the loader, the shell and common programs take code, commands or their
# configuration from. What ends in "*" is a beginning.
_GUARDED = listed(
    """
PATH IFS ENV HOME CDPATH OLDPWD PWD SHELL SHELLOPTS PROMPT_COMMAND PROMPT_DIRTRIM
PS0 PS1 PS2 PS3 PS4 FCEDIT EDITOR VISUAL PAGER BROWSER BASH* HIST* LD_* DYLD_* PYTHON* GIT_*
PERL* RUBY* NODE_* LESS* JAVA* _JAVA_* CLASSPATH LUA_* PHP* GEM_* BUNDLE_* AWKPATH
AWKLIBPATH GAWK* GCONV_PATH GLIBC_TUNABLES LOCPATH NLSPATH MALLOC_* RES_OPTIONS
HOSTALIASES LOCALDOMAIN RIPGREP_CONFIG_PATH FZF_* JQ_LIBRARY_PATH TAR_OPTIONS TAPE RSH
GREP_OPTIONS MAGIC MANPATH MANOPT SUDO_* SSH_* CVS_RSH RSYNC_* CARGO_HOME CARGO_BUILD_*
CARGO_TARGET_* CARGO_REGISTRIES_* CARGO_ALIAS_* RUSTC* RUSTDOC* RUSTUP_* CC CXX LD AR
MAKEFLAGS MAKEFILES GNUMAKEFLAGS MFLAGS CMAKE_* PKG_CONFIG* NPM_CONFIG_* npm_config_* XDG_CONFIG_*
XDG_DATA_* TERMINFO* TERMCAP POSIXLY_CORRECT GLOBIGNORE FIGNORE INPUTRC ZDOTDIR FPATH FPATH* KSH*
EXECIGNORE FUNCNEST OPTARG OPTIND MAILCHECK MAILPATH AUTOFEATURE VIMINIT EXINIT
"""
)
_SAFE = frozenset(("CARGO_TARGET_DIR",))
_EXACT = frozenset(name for name in _GUARDED if not name.endswith("*"))
_BEGINNINGS = tuple(name[:-1] for name in _GUARDED if name.endswith("*"))
_SUFFIXES = ("PAGER", "_EDITOR", "_ASKPASS", "_PRELOAD", "_COMMAND", "_WRAPPER", "_SHELL")


def is_name(text: str) -> bool:
    """Whether the shell takes it for the name of a variable."""
    return text.isascii() and text.isidentifier()


def is_guarded(name: str) -> bool:
    """Whether setting or removing the variable may change what runs.

    Anything that is no plain name (``a[0]``, ``a[$(x)]``) counts as well: its index is
    arithmetic, which the shell evaluates.
    """
    return (
        (name in _EXACT or name.startswith(_BEGINNINGS) or name.endswith(_SUFFIXES))
        and name not in _SAFE
    ) or not is_name(name)
