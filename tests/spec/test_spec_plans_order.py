"""The order of tasks as plans say it, in any language and anywhere in the text."""

# ruff: noqa: RUF001  # plans are written with these signs

import pytest

from kimi_mcp.spec.plans.extract import extract

TWO = "# Plan\n\n## {word} 1: A\n\nx\n\n## {word} 2: B\n\n{said}\n"


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("Task", "Depends on: Task 1"),
        ("Task", "**Dependencies:** #1"),
        ("Task", "Start after task 1."),
        ("Task", "Blocked by Task 1"),
        ("Aufgabe", "Nach Aufgabe 1."),
        ("Schritt", "Abhängig von: Schritt 1"),
        ("Tâche", "Dépend de : Tâche 1"),
        ("Tarea", "Después de la tarea 1."),
        ("Tarefa", "Depende da tarefa 1."),
        ("Задача", "После задачи 1."),
        ("Nhiệm vụ", "Phụ thuộc: Nhiệm vụ 1"),
        ("任务", "依赖：任务1"),
        ("任务", "完成任务1后，再修改。"),
        ("タスク", "タスク1の完了後に始める"),
        ("작업", "의존: 작업 1"),
    ],
)
def test_what_comes_first_is_read_in_any_language(word: str, said: str):
    plan = extract(TWO.format(word=word, said=said))

    assert [task.depends_on for task in plan.tasks] == [(), (1,)]


@pytest.mark.parametrize(
    "said",
    [
        "Depends on: none",
        "### Step 1: one\n\n### Step 2: two\n\nAfter step 1 go on.",
        "Task 1 is described above.",
        "```\nafter task 1\n```",
        "See version 1 after all.",
    ],
)
def test_what_only_looks_like_an_order_is_none(said: str):
    plan = extract(TWO.format(word="Task", said=said))

    assert [task.depends_on for task in plan.tasks] == [(), ()]


THREE = "# Plan\n\n## {word} 1: A\n\nx\n\n## {word} 2: B\n\ny\n\n## {word} 3: C\n\nz\n\n{said}\n"


@pytest.mark.parametrize(
    ("word", "said", "after"),
    [
        ("Step", "## Execution order\n\nStep 1 → Step 2 → Step 3", [(), (1,), (2,)]),
        ("Task", "## Dependencies\n\n- Task 3 depends on Task 1 and Task 2", [(), (), (1, 2)]),
        ("Task", "## Dependencies\n\n- Task 3 depends on Tasks 1-2", [(), (), (1, 2)]),
        ("Phase", "", [(), (1,), (2,)]),
        ("Phase", "## Notes\n\nPhase 2 and Phase 3 can run in parallel.", [(), (1,), (1,)]),
        ("Phase", "## Notes\n\nPhases 1 and 2 are independent.", [(), (), (1, 2)]),
        ("阶段", "", [(), (1,), (2,)]),
        ("Step", "", [(), (), ()]),
        ("Phase", "## Notes\n\nPhase 2 is independent.", [(), (), (2,)]),
        ("阶段", "## 执行顺序\n\n第3阶段 依赖 第1阶段", [(), (1,), (1,)]),
    ],
)
def test_an_order_said_elsewhere_counts_and_phases_wait_for_one_another(
    word: str, said: str, after: list[tuple[int, ...]]
):
    plan = extract(THREE.format(word=word, said=said))

    assert [task.depends_on for task in plan.tasks] == after


def test_who_changes_a_file_comes_after_who_makes_it():
    tasks = ("Create `a.py`", "Create `b.py`", "Modify `a.py`")
    text = "".join(f"## Task {n}: T\n\n{said}\n\n" for n, said in enumerate(tasks, 1))

    assert [task.depends_on for task in extract(text).tasks] == [(), (), (1,)]


def test_parts_with_letters_and_numbers_are_named_by_them():
    plan = extract("# Plan\n\n## B1: A\n\nx\n\n## B2: B\n\ny\n\n## B3: C\n\nAfter: see B1\n")

    assert [task.depends_on for task in plan.tasks] == [(), (), (1,)]


def test_who_uses_a_name_comes_after_who_makes_it():
    plan = extract(
        "## Task 1: A\n\nProduces: `Queue`\n\n## Task 2: B\n\nConsumes: `Queue`, `Other`\n"
    )

    assert [task.depends_on for task in plan.tasks] == [(), (1,)]
