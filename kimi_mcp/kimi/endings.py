"""The table of how Kimi ends badly: the words that tell it, its name, a sentence, what to do next.

Pure data. The first row whose pattern is found in `code: words` counts, so what is exact stands
before what is general. The trap of the table: a used-up plan arrives as HTTP 403 under the code
`provider.auth_error`, hence the words of quota come first. Kimi's own words are quoted beside the
sentence, which therefore never repeats them.
"""

import re
from dataclasses import dataclass

from kimi_mcp.lifecycle import Outcome


@dataclass(frozen=True, slots=True)
class Ending:
    """One row: what is found, what it is called, what it means, what its reader should do."""

    pattern: re.Pattern[str]
    outcome: Outcome
    sentence: str
    next_action: str


def _row(pattern: str, outcome: Outcome, sentence: str, next_action: str) -> Ending:
    return Ending(re.compile(pattern, re.IGNORECASE), outcome, sentence, next_action)


ENDINGS: tuple[Ending, ...] = (
    _row(
        r"reached your [^.]*usage limit|usage limit for this billing cycle|access_terminated_error",
        Outcome.QUOTA_EXHAUSTED,
        "The Kimi plan's allowance is used up; the provider does not say until when.",
        "See /usage in Kimi for the reset, wait, then go on. Logging in again does not help.",
    ),
    _row(
        r"exceeded your current (?:token )?quota|check your account balance|insufficient.balance"
        r"|recharge|exceeded_current_quota_error|payment required|(?:: |code: )402\b",
        Outcome.QUOTA_EXHAUSTED,
        "The account's balance is used up.",
        "Top the account up, then go on. Neither waiting nor logging in again helps.",
    ),
    _row(
        r"safety policy blocked|provider\.filtered",
        Outcome.MODEL_REFUSED,
        "The provider's content policy blocked the answer.",
        "Rephrase the task or let Claude do it.",
    ),
    _row(
        r"context\.overflow|compaction\.failed|ContextOverflow|exceeded model token limit",
        Outcome.CONTEXT_OVERFLOW,
        "The conversation outgrew the model's context.",
        "Split the task into smaller ones, or name fewer files to read.",
    ),
    _row(
        r"loop\.max_steps_exceeded",
        Outcome.STEP_LIMIT,
        "Kimi used up the task's step budget.",
        "Split the task, make it more exact, or raise the budget.",
    ),
    _row(
        r"no longer maintained",
        Outcome.KIMI_UNUSABLE,
        "The `kimi` that ran is the discontinued last kimi-cli, which does nothing.",
        "Run `kimi-mcp doctor`; it names the remedy.",
    ),
    _row(
        r"no credential configured",
        Outcome.NOT_LOGGED_IN,
        "The provider in Kimi's config.toml has neither an API key nor a login.",
        "Run `kimi login` in a terminal, or set the provider's api_key.",
    ),
    _row(
        r"(?:: |code: )403\b",
        Outcome.NOT_LOGGED_IN,
        "The provider knows the account or key, and forbids it this model.",
        "Log in with an account whose plan has it, or correct the key in Kimi's config.toml.",
    ),
    _row(
        r"provider\.auth_error|(?:^|: )auth\.",
        Outcome.NOT_LOGGED_IN,
        "The provider does not accept Kimi's login or API key.",
        "Run `kimi login` in a terminal, or correct the api_key in Kimi's config.toml.",
    ),
    _row(
        r"is not configured in config\.toml",
        Outcome.CONFIG_INVALID,
        "Kimi's config.toml has no model of the name that was asked for.",
        "Correct default_model there, or the profile's model, to the name of a [models] table.",
    ),
    _row(
        r"No model configured|model\.not_configured|LLM not set",
        Outcome.CONFIG_INVALID,
        "Kimi's configuration names no model.",
        "Run `kimi login` if you never did; else correct default_model in Kimi's config.toml.",
    ),
    _row(
        r"\b404 .*(?:model|permission denied)",
        Outcome.CONFIG_INVALID,
        "The provider does not know the configured model, or the account may not use it.",
        "Correct the model's id in Kimi's config.toml, or choose another one in the profile.",
    ),
    _row(
        r"(?:model\.config_invalid|config\.invalid)",
        Outcome.CONFIG_INVALID,
        "Kimi refuses its own configuration.",
        "Correct what it names; `kimi doctor` checks the file.",
    ),
    _row(
        r"only thinking content",
        Outcome.PROVIDER_ERROR,
        "The model only thought and answered nothing, again and again.",
        "Go on with the task; if it repeats, split it or turn thinking off in the profile.",
    ),
    _row(
        r"empty response.*stop details",
        Outcome.PROVIDER_ERROR,
        "The model's answer was empty, again and again.",
        "Go on with the task; if it repeats, rephrase it or use another model.",
    ),
    _row(
        r"empty response",
        Outcome.PROVIDER_ERROR,
        "Nothing usable came: an empty or withheld answer, or a web page such as a portal's login.",
        "Check network, proxy and the provider's base_url, then go on with the task.",
    ),
    _row(
        r"provider\.overloaded|(?:: |code: )503\b",
        Outcome.PROVIDER_ERROR,
        "The provider is overloaded.",
        "Wait a few minutes, then go on with the task.",
    ),
    _row(
        r"provider\.rate_limit|(?:: |code: )429\b",
        Outcome.RATE_LIMITED,
        "The provider kept refusing for too many requests.",
        "Wait a few minutes, then go on with less in parallel.",
    ),
    _row(
        r"terminated|peer closed|incomplete chunked",
        Outcome.PROVIDER_ERROR,
        "The connection broke in the middle of an answer, again and again.",
        "Check the network, then go on with the task.",
    ),
    _row(
        r"timed out",
        Outcome.PROVIDER_ERROR,
        "The provider did not answer in time.",
        "Look at the provider's status, then go on with the task.",
    ),
    _row(
        r"provider\.connection_error",
        Outcome.PROVIDER_ERROR,
        "The provider cannot be reached.",
        "Check network, proxy and the provider's base_url, then go on with the task.",
    ),
    _row(
        r"provider\.api_error: (?:Error code: )?5\d\d\b",
        Outcome.PROVIDER_ERROR,
        "The provider failed by itself.",
        "Look at the provider's status, then go on with the task.",
    ),
    _row(
        r"provider\.",
        Outcome.PROVIDER_ERROR,
        "The provider refused the request.",
        "The quoted words are the provider's; correct what they name.",
    ),
    _row(
        r'Session "[^"]*" (?:not found|was created under)|session\.(?:not_found|busy)',
        Outcome.CRASHED,
        "Kimi could not go on in its earlier session.",
        "Dispatch the task anew, in a fresh session.",
    ),
)


def ending_of(code: str | None, words: str) -> Ending | None:
    """Find the row for what Kimi said of its failure; nothing when it is not known."""
    said = f"{code}: {words}" if code else words
    return next((row for row in ENDINGS if row.pattern.search(said)), None)
