"""Keys that look real and are made up anew, so that none stands in the repository."""

import secrets
import string
from collections.abc import Mapping

_LETTERS = string.ascii_letters + string.digits


def planted_keys() -> Mapping[str, str]:
    """Make one key of each kind, by its kind."""
    return {
        "AWS key id": f"AKIA{_of(16, string.ascii_uppercase + '234567')}",
        "GitHub": f"ghp_{_jumble(36)}",
        "GitHub, fine-grained": f"github_pat_{_jumble(22)}_{_jumble(59)}",
        "GitLab": f"glpat-{_jumble(20)}",
        "Slack": f"xoxb-{_of(12, '123456789')}-{_of(12, '123456789')}-{_jumble(24)}",
        "Stripe": f"sk_live_{_jumble(24)}",
        "OpenAI": f"sk-proj-{_jumble(74)}T3Blbk" + f"FJ{_jumble(74)}",
        "Anthropic": f"sk-ant-api03-{_jumble(93)}AA",
        "Moonshot": f"sk-{_jumble(48)}",
        "Kimi's plan": f"sk-kimi-{_jumble(64)}",
        "Google": f"AIza{_jumble(35)}",
        "npm": f"npm_{_jumble(36)}",
        "Hugging Face": f"hf_{_of(34, string.ascii_letters)}",
        "web token": f"eyJhbGciOiJIUzI1NiJ9.eyJ{_jumble(40)}.{_jumble(43)}",
    }


def private_key() -> str:
    """Make a private key of many lines."""
    lines = "\n".join(_of(64, _LETTERS + "+/") for _ in range(12))
    return f"-----BEGIN RSA PRIVATE {'KEY'}-----\n{lines}\n-----END RSA PRIVATE {'KEY'}-----"


def password() -> str:
    """Make a password that is no word."""
    return (
        f"{_of(6, string.ascii_lowercase)}{_of(4, string.digits)}{_of(6, string.ascii_uppercase)}"
    )


def _of(length: int, letters: str) -> str:
    return "".join(secrets.choice(letters) for _ in range(length))


def _jumble(length: int) -> str:
    """Make letters and digits such as chance makes them mostly, and issuers always."""
    while True:
        made = _of(length, _LETTERS)
        if sum(letter.isdigit() for letter in made) >= length // 10 + 1 and len(set(made)) > 9:
            return made
