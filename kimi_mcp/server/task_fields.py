"""The shape of a task as a model gives it to `plan_to_spec`."""

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from kimi_mcp.spec.answers import TaskAnswer


class TaskFields(BaseModel):
    """A task, or the fields of one that replace the plan's."""

    model_config = ConfigDict(extra="forbid")

    task: Annotated[int | None, Field(description="Number of a known task; else a new one")] = None
    title: str | None = None
    files: Annotated[
        list[str] | None,
        Field(
            description='"CREATE|MODIFY|DELETE|READ path" or "MOVE a -> b"; bare: modify or create'
        ),
    ] = None
    requirements: list[str] | str | None = None
    verification: Annotated[
        list[str] | None, Field(description='Shell commands; prose begins with "manual:"')
    ] = None
    depends_on: list[int] | None = None

    def answer(self) -> "TaskAnswer":
        """Return the fields as the spec room takes them; None for those that were not given."""
        from kimi_mcp.spec.answers import TaskAnswer

        said = self.requirements
        return TaskAnswer(
            task=self.task,
            title=self.title,
            files=None if self.files is None else tuple(self.files),
            requirements=tuple(said) if isinstance(said, list) else said,
            verification=None if self.verification is None else tuple(self.verification),
            depends_on=None if self.depends_on is None else tuple(self.depends_on),
        )
