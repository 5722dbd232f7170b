"""Which of the host's variables reach the programs that we start.

An allow list: the host (Claude Code) hands its server everything, its own API key included. What is
not named here is not passed on. A worker gets a home of its own as well, so nothing that points
into the user's is passed to it, and caches that no program outside the fence ever reads.
"""

from collections.abc import Mapping
from pathlib import Path

PASSED = frozenset(
    {
        "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TERM",
        "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
        "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE",
        "JAVA_HOME", "GOROOT", "GOPATH", "CARGO_HOME", "RUSTUP_HOME", "VIRTUAL_ENV", "PYENV_ROOT",
        "NVM_DIR", "ANDROID_HOME", "DOTNET_ROOT",
        "SYSTEMROOT", "COMSPEC", "PATHEXT", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "TEMP", "TMP",
    }
)  # fmt: skip
PASSED_PREFIXES = ("LC_", "XDG_")


def passed_on(host: Mapping[str, str]) -> dict[str, str]:
    """Return the part of *host* that setup commands, checks and Kimi may see."""
    return {
        name: value
        for name, value in host.items()
        if name.upper() in PASSED or name.startswith(PASSED_PREFIXES)
    }


#: What names a place in the user's home or runtime folder.
_USERS_PLACES = frozenset(
    {
        "HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "TEMP", "TMP", "TMPDIR", "GOPATH",
        "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR",
        "XDG_BIN_HOME",
    }
)  # fmt: skip
#: Each tool's variable for its cache, and the folder it gets.
_CACHES = {
    "XDG_CACHE_HOME": "xdg",
    "npm_config_cache": "npm",
    "YARN_CACHE_FOLDER": "yarn",
    "PIP_CACHE_DIR": "pip",
    "UV_CACHE_DIR": "uv",
    "POETRY_CACHE_DIR": "poetry",
    "PRE_COMMIT_HOME": "pre-commit",
    "CARGO_HOME": "cargo",
    "GOMODCACHE": "go-modules",
    "GOCACHE": "go-build",
    "GRADLE_USER_HOME": "gradle",
    "NUGET_PACKAGES": "nuget",
    "COMPOSER_CACHE_DIR": "composer",
    "BUNDLE_USER_CACHE": "bundle",
    "DENO_DIR": "deno",
}


def of_a_worker(
    host: Mapping[str, str], *, home: Path, temporary: Path, caches: Path
) -> dict[str, str]:
    """Return the environment of a program that works on a task.

    Args:
        host: the host's environment.
        home: the program's own `HOME`.
        temporary: its own `TMPDIR`.
        caches: where its tools keep what they have downloaded or built.
    """
    passed = passed_on(host)
    return {
        **{name: value for name, value in passed.items() if name.upper() not in _USERS_PLACES},
        "HOME": str(home),
        "TMPDIR": str(temporary),
        **{name: str(caches / folder) for name, folder in _CACHES.items()},
    }
