"""Starting a dispatch: everything that can be refused is refused before anything exists.

The rows are written first, then the detached runner is started, and the call returns when that
runner has really claimed them: "running" is never a hope. What was made is undone if it never does.
"""

import hashlib
import os
import secrets
import string
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from kimi_mcp.dispatch.orders import Orders
from kimi_mcp.dispatch.place import repository_for
from kimi_mcp.dispatch.recover import reconcile
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.errors import Refused, SpecInvalid, Unready
from kimi_mcp.history.ids import DispatchId, new_dispatch_id
from kimi_mcp.history.records import NewDispatch, NewTask
from kimi_mcp.kimi.detect import Kimi, detect_kimi
from kimi_mcp.kimi.home import user_home
from kimi_mcp.lifecycle import DispatchState
from kimi_mcp.processes.environment import passed_on
from kimi_mcp.settings import Settings
from kimi_mcp.spec import shelf
from kimi_mcp.spec.files import read_tree
from kimi_mcp.spec.lint import Finding, lint
from kimi_mcp.spec.model import Spec, Task
from kimi_mcp.spec.parse import parse
from kimi_mcp.state import RunFolder
from kimi_mcp.workspace.publish import check_prefix_free
from kimi_mcp.workspace.repository import Repository, dirty_files, resolve

CLAIM_BOUND_S = 30.0
CLAIM_POLL_S = 0.005
TOKEN_LETTERS = string.ascii_lowercase + string.digits
KIMI_PREFIX = "KIMI_"  # Kimi's own variables and ours; everything else needs the allow list


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchWish:
    """What the caller asked for."""

    spec: str
    tasks: tuple[int, ...] | None = None
    profile: str | None = None
    max_parallel: int | None = None
    base: str | None = None
    repo: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A dispatch that could start, with what a reader should know before it does."""

    repository: Repository
    base: str
    path: Path
    text: str
    spec: Spec
    tasks: tuple[Task, ...]
    findings: tuple[Finding, ...]
    profile: str
    settings: Settings
    max_parallel: int

    @property
    def obstacles(self) -> list[str]:
        """What stands in the way, each a sentence."""
        return [finding.message for finding in self.findings if finding.is_error]
