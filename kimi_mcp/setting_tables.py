"""The tables of the settings: limits, profiles and the quota, each value with what is allowed."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from kimi_mcp import setting_values


def whole(default: int, *, low: int, high: int) -> Any:
    """Describe a key that holds a whole number."""
    return Field(default=default, ge=low, le=high, description=f"a whole number, {low} to {high}")


def seconds(default: float, *, low: float = 0.1) -> Any:
    """Describe a key that holds a duration."""
    high = 86_400
    return Field(default=default, ge=low, le=high, description=f"seconds, {low} to {high}")


def _unset(allowed: str, **bounds: Any) -> Any:
    return Field(default=None, description=allowed, **bounds)


class Section(BaseModel):
    """A table: unknown keys are refused, values are never converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Limits(Section):
    """How long, how often and how much; seconds and bytes."""

    task_s: float = seconds(1800)
    silence_s: float = seconds(600)
    tool_s: float = seconds(900)
    check_s: float = seconds(600)
    setup_s: float = seconds(600)
    grace_s: float = seconds(10, low=0)
    attempts: int = whole(4, low=1, high=100)
    retries: int = whole(12, low=0, high=10_000)
    free_bytes: int = whole(500_000_000, low=0, high=10**15)
    kimis: int = whole(0, low=0, high=64)
    plan_bytes: int = whole(1_000_000, low=1, high=100_000_000)
    spec_bytes: int = whole(1_000_000, low=1, high=100_000_000)


class Keep(Section):
    """How long what is no longer needed stays."""

    clones_days: int = whole(14, low=0, high=36_500)
    history_days: int = whole(365, low=0, high=36_500)
    history_bytes: int = whole(1_000_000_000, low=0, high=10**15)


class Profile(Section):
    """What a dispatch allows Kimi, and what `switch_profile` writes into Kimi's own config.

    A key that is not set leaves it to the general settings, to Kimi's own config, or to nobody: an
    allowance is what the user knows of the plan, never a fact about it.
    """

    steps: int = whole(100, low=0, high=1_000_000)
    tool_timeout_ms: int = whole(120_000, low=1, high=86_400_000)
    thinking: bool = Field(default=True, description="true or false")
    model: str | None = _unset("the name of a model in Kimi's config", min_length=1)
    subagents: bool = Field(default=False, description="true or false")
    fan_out: Literal["processes", "swarm"] = Field(
        default="processes", description="processes or swarm"
    )
    task_s: float | None = _unset("seconds, 0.1 to 86400", ge=0.1, le=86_400)
    max_parallel: int | None = _unset("a whole number, 1 to 64", ge=1, le=64)
    weekly_steps: int | None = _unset("a whole number, 1 to 10000000", ge=1, le=10**7)
    five_hour_steps: int | None = _unset("a whole number, 1 to 10000000", ge=1, le=10**7)
    kimi: Annotated[dict[str, Any], AfterValidator(setting_values.kimi_keys)] = Field(
        default_factory=dict,
        description="a table of Kimi's own keys like { loop_control = { reserved_context_size = "
        "40000 } }, none of which a profile or kimi-mcp sets itself",
    )


class Cluster(Section):
    """Other machines, on Ray: where they are, and what is carried out there."""

    address: str | None = _unset("HOST:PORT of the cluster's head", min_length=3)
    policy: Literal["local", "cluster", "overflow"] = Field(
        default="local", description="local, cluster or overflow"
    )
    token_file: str | None = _unset("the path of a file with the cluster's token", min_length=1)
    open: bool = Field(default=False, description="true or false")
    retries: int = whole(1, low=0, high=10)
    credential: Literal["node", "hand_over"] = Field(
        default="node", description="node or hand_over"
    )
    memory_bytes: int = whole(0, low=0, high=10**15)
    labels: dict[str, str] = Field(
        default_factory=dict, description='a table of labels like { disk = "fast" }'
    )


class Price(Section):
    """What a million tokens cost on the orchestrator's model, in the user's currency."""

    input: float = Field(default=0.0, ge=0, le=10**6, description="a number, 0 to 1000000")
    cached: float = Field(default=0.0, ge=0, le=10**6, description="a number, 0 to 1000000")
    output: float = Field(default=0.0, ge=0, le=10**6, description="a number, 0 to 1000000")


class Quota(Section):
    """What is asked of the account, and what the orchestrator's tokens cost."""

    live: bool = Field(default=False, description="true or false")
    price: Price = Field(
        default_factory=Price,
        description="a table like { input = 5.0, cached = 0.5, output = 25.0 }, per million tokens",
    )
