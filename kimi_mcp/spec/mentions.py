"""What a word or a fence of a plan is: a path, a shell script, or neither. Pure."""

import re

SPAN = re.compile(r"(`+)(?!`)(.+?)(?<!`)\1(?!`)|\[[^\]\n]*\]\(([^)\s]+)\)")
_PATH = re.compile(r"[^\s`<>|\"'{}$=;,，、（）!]+")  # noqa: RUF001  # Chinese plans use these
_EXTENSION = re.compile(
    r"\.(?:[cm]?[jt]sx?|pyi?|rs|go|md|mdx|rst|txt|json[c5]?|ya?ml|toml|lock|cfg|ini|env|conf|html?"
    r"|s?css|less|sql|sh|bash|zsh|ps1|java|kts?|swift|[ch](?:pp|h)?|cc|cs|rb|php|vue|svelte|astro"
    r"|xml|svg|proto|graphql|gradle|ipynb|tf|ex|exs|erl|hs|scala|dart|lua|r|jl|plist|csv|tsv)"
    r"(?::[\d,\s-]+)?$",
    re.IGNORECASE,
)
_ONLY_EXTENSION = re.compile(rf"\*?{_EXTENSION.pattern}", re.IGNORECASE)
_COLON = re.compile(r"(?![A-Za-z]:[\\/]).*:(?![\d,\s-]+$).*")
_BARE_NAMES = {"Makefile", "Dockerfile", "LICENSE", "Gemfile", "Procfile", "Justfile", "justfile"}


def path_in(word: str | None) -> str | None:
    """Give *word* when it looks like a path of a file, without a leading `./`."""
    word = (word or "").strip()
    if not _PATH.fullmatch(word) or "://" in word or "::" in word or word[0] in "-@#":
        return None
    if _ONLY_EXTENSION.fullmatch(word) or _COLON.fullmatch(word):
        return None
    is_named = bool(_EXTENSION.search(word)) or word in _BARE_NAMES or word.startswith(".git")
    is_folder_like = "/" in word.strip("/") and not word.endswith("()") and word[-1] not in ".:"
    has_letters = any(ch.isalpha() for ch in word)
    return word.removeprefix("./") if (is_named or is_folder_like) and has_letters else None


def script_in(text: str) -> list[str]:
    """Give a fence's commands, or none where it is more than a list of commands."""
    joined = re.sub(r"\\\n\s*", "", text)
    if "<<" in joined or re.search(r"^\s*(?:if|for|while|case|\w+\(\))\b", joined, re.MULTILINE):
        return []
    stripped = (line.strip().removeprefix("$ ") for line in joined.split("\n"))
    lines = [line for line in stripped if line and not line.startswith("#")]
    # A line that changes the shell's state is meant for the lines after it.
    is_one = any(line.split()[0] in {"cd", "export", "source", ".", "set"} for line in lines)
    return [" && ".join(lines)] if is_one else lines
