"""Which of the host's variables reach the programs that we start.

An allow list: the host (Claude Code) hands its server everything, its own API key included. What is
not named here is not passed on.
"""

from collections.abc import Mapping

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
