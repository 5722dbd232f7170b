"""What kind of document a plan's text is: not everything in a plans folder is a plan. Pure.

The title decides, and front matter that belongs to a prompt. The kind alone refuses nothing: it
takes weight from rows of like parts that would be tasks in a plan.
"""

# ruff: noqa: RUF001  # plans are written with these signs

import re
from enum import StrEnum

from kimi_mcp.spec.plans import words
from kimi_mcp.spec.plans.outline import Outline


class Genre(StrEnum):
    """The kinds, each with the reason why it may hold no work."""

    PLAN = "no row of tasks, steps or phases was found in its headings, lists or tables"
    REPORT = (
        "its title says that it reports what is done or found, and nothing in it is still to do"
    )
    DESIGN = "it describes a design and names no steps that lead there"
    PROMPT = "it is a prompt or a template, and says how to work instead of what to do"


_PLAN_END = re.compile(
    r"(?:plan|roadmap|to-?do|tasks|umsetzung|計画|计划|計劃|方案|план|계획)(?:\s*[(（].*[)）])?\W*$|^\W*plan\W",
    re.IGNORECASE,
)
_PLAN = words.any_of(
    """
    plan roadmap todo tasks umsetzung plano piano kế_hoạch план 计划 計画 計劃 方案 優化 优化 계획
    step migration implement refactor fix add
    """
)
_REPORT = words.any_of(
    """
    report retrospective post-mortem postmortem findings research transcript summary_of
    minutes code_review review_of implementation_summary session_summary changelog bericht rapport
    compte-rendu bilan notizen informe relatório отчёт отчет báo_cáo 报告 总结 調査 報告 レポート
    纪要 研究 メモ 보고 요약
    """
)
_REPORT_START = re.compile(
    r"^\W*(?:(?:\w+ )?notes|findings|review|report|summary|minutes|retrospective|post-?mortem)\s+"
    r"(?:of|on|for|about|from|backing|behind)\b",
    re.IGNORECASE,
)
_REPORT_END = re.compile(
    r"(?:report|review|notes|results|summary|complete[d]?|completion|总结|报告|報告)\W*(?:#?\d+\W*)?$"
    r"|implementation[- ]complete",
    re.IGNORECASE,
)
_LOOKED_INTO = words.any_of(
    "analysis audit investigation assessment comparison evaluation 调研 分析"
)
_DESIGN = words.any_of(
    """
    design_doc design_note design_spec rfc adr prd proposal architecture_decision 设计文档 设计说明
    设计方案 設計書 設計 conception entwurf diseño
    """
)
_DESIGN_END = re.compile(r"(?:design|architecture|specification|设计|規格)\W*$", re.IGNORECASE)
_PROMPT_END = re.compile(r"(?:prompt|template|skill|instructions)\W*$", re.IGNORECASE)
_PROMPT_KEYS = {"description", "allowed-tools", "argument-hint", "tools", "model"}
_WORK_KEYS = {"files_modified", "wave", "phase", "status", "change", "plan", "tasks"}
_ORDERS = re.compile(r"\$ARGUMENTS|^\s*you are an? ", re.IGNORECASE | re.MULTILINE)


def genre(outline: Outline) -> Genre:
    """Tell by title and form whether a document is a plan, a design, a report or a prompt."""
    title = outline.title
    if _is_prompt(outline):
        return Genre.PROMPT
    if _PLAN_END.search(title) and not _REPORT_START.search(title):
        return Genre.PLAN
    report, plan = _REPORT.search(title), _PLAN.search(title)
    is_report = report and (plan is None or report.start() < plan.start())
    if is_report or _REPORT_END.search(title) or (_LOOKED_INTO.search(title) and not plan):
        is_design = _DESIGN.search(title)
        return Genre.DESIGN if is_design else Genre.REPORT
    if _DESIGN.search(title) or _DESIGN_END.search(title):
        return Genre.DESIGN
    return Genre.PLAN


def is_named_plan(outline: Outline) -> bool:
    """Tell whether the title says that this is a plan, or something to be done."""
    return bool(_PLAN.search(outline.title)) or bool(_WORK_KEYS & {*outline.front} - {"status"})


def _is_prompt(outline: Outline) -> bool:
    keys = {*outline.front}
    is_command = bool(keys & _PROMPT_KEYS) and not keys & _WORK_KEYS
    is_titled = bool(_PROMPT_END.search(outline.title))
    head = outline.text(outline.first, min(len(outline.lines), outline.first + 40))
    return is_command or is_titled or bool(_ORDERS.search(head))
