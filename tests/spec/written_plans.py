"""Plans as people write them, one for each language and layout, with what must be read off each.

All are written for these tests.
"""

# ruff: noqa: RUF001  # plans are written with these signs

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Written:
    """A plan, the tasks that are in it, and what is known of some of them.

    *files* are `OPERATION path`, with `?` where the plan leaves the operation open.
    """

    text: str
    titles: tuple[str, ...]
    files: dict[int, tuple[str, ...]] = field(default_factory=dict[int, tuple[str, ...]])
    commands: dict[int, tuple[str, ...]] = field(default_factory=dict[int, tuple[str, ...]])
    depends_on: dict[int, tuple[int, ...]] = field(default_factory=dict[int, tuple[int, ...]])
    done: tuple[int, ...] = ()
    goal: str = ""
    context: str = ""
    out_of_scope: str = ""


WRITTEN: dict[str, Written] = {
    "English, tasks inside phases": Written(
        text="""\
# Rate limits Implementation Plan

**Goal:** No client may flood the service.

**Architecture:** One counter a client.

## Phase 1: Foundation

### Task 1.1: Count requests

**Files:**
- Create: `limits/counter.py`
- Test: `tests/test_counter.py`

- [ ] **Step 1: Write the failing test**

Run: `pytest tests/test_counter.py -q`
Expected: FAIL

- [ ] **Step 2: Count**

```python
def count(): ...
```

- [ ] **Step 3: See it pass**

Run: `pytest tests/test_counter.py -q`
Expected: PASS

- [ ] **Step 4: Commit**

```bash
git add limits && git commit -m "Count"
```

### Task 1.2: Keep the counters

**Files:**
- Modify: `limits/store.py:10-40`

## Phase 2: Use

### Task 2.1: Refuse

Depends on: Task 1.1 and Task 1.2

**Files:**
- Modify: `service/app.py`

## Self-review

- Task 9: nothing of this is a task
""",
        titles=("Count requests", "Keep the counters", "Refuse"),
        files={
            1: ("CREATE limits/counter.py", "? tests/test_counter.py"),
            2: ("MODIFY limits/store.py:10-40",),
        },
        commands={1: ("pytest tests/test_counter.py -q",)},
        depends_on={1: (), 3: (1, 2)},
        goal="No client may flood the service.",
        context="**Architecture:** One counter a client.",
    ),
    "Chinese, phases": Written(
        text="""\
# 导出功能实施计划

## 背景

用户需要导出报表。

## 阶段一：数据层

修改 `src/report/query.ts`，增加分页参数。

**验证**：
- `pnpm test report`

## 阶段二：导出接口

**新建文件**：
- `src/report/export.ts`

在 `src/app.ts` 中新增路由。

## 阶段三：清理

删除 `src/old/export.js`

## 风险

- 数据量大

## 不做的事

- 不支持 PDF
""",
        titles=("数据层", "导出接口", "清理"),
        files={
            1: ("MODIFY src/report/query.ts",),
            2: ("CREATE src/report/export.ts", "? src/app.ts"),
            3: ("DELETE src/old/export.js",),
        },
        commands={1: ("pnpm test report",)},
        depends_on={1: (), 2: (1,), 3: (2,)},
        context="用户需要导出报表。",
        out_of_scope="- 不支持 PDF",
    ),
    "Japanese, numbered list in an order section": Written(
        text="""\
# 検索機能の計画

## 概要

検索を速くする。

## 前提

- 既存の API は変えない

## 実装手順

1. **索引を作る**: `search/index.py` を作成する
2. **検索を置き換える**: `search/query.py` を変更する
3. **古いコードを消す**: `search/slow.py` を削除する

## 検証

- `pytest tests/search`
- 画面で確認する
""",
        titles=("索引を作る", "検索を置き換える", "古いコードを消す"),
        files={
            1: ("CREATE search/index.py",),
            2: ("MODIFY search/query.py",),
            3: ("DELETE search/slow.py",),
        },
        commands={3: ("pytest tests/search",)},
        goal="検索を速くする。",
    ),
    "German, a table of phases with their state": Written(
        text="""\
# Umsetzungsplan: Rechnungen

## Zusammenfassung

Rechnungen werden als PDF erzeugt.

## Phasen

| Status | Phase | Beschreibung |
|--------|-------|--------------|
| [x] | 1. Datenbank | `db/V12__rechnung.sql` anlegen |
| [ ] | 2. Dienst | Neue Klasse in `src/Rechnung.java` |
| [ ] | 3. Oberfläche | Formular in `web/rechnung.html` anpassen |

## Offene Punkte

1. **Annahme:** Nur Euro.
""",
        titles=("Datenbank", "Dienst", "Oberfläche"),
        files={1: ("CREATE db/V12__rechnung.sql",), 3: ("MODIFY web/rechnung.html",)},
        done=(1,),
        goal="Rechnungen werden als PDF erzeugt.",
    ),
    "French, steps with a file label": Written(
        text="""\
# Plan : filtres des commandes

## Contexte

Les filtres actuels sont trop simples.

## Étapes d'implémentation

### Étape 1 : Créer le type

**Fichier à créer** : `src/types/filtres.ts`

### Étape 2 : Adapter la liste

**Fichier** : `src/liste.tsx`

Après l'étape 1.

**Vérification** :
- `npm run type-check`

## Hors périmètre

- Export CSV
""",
        titles=("Créer le type", "Adapter la liste"),
        files={1: ("CREATE src/types/filtres.ts",), 2: ("? src/liste.tsx",)},
        commands={2: ("npm run type-check",)},
        depends_on={1: (), 2: (1,)},
        context="Les filtres actuels sont trop simples.",
        out_of_scope="- Export CSV",
    ),
    "Spanish, tasks": Written(
        text="""\
# Plan: notificaciones

## Objetivo

Avisar a los usuarios.

## Tareas

### Tarea 1: Modelo

Crear `app/aviso.py`.

### Tarea 2: Envío

Depende de: Tarea 1

Modificar `app/correo.py` y `app/cola.py`.

Ejecutar: `pytest tests/correo`

## Riesgos

- Ninguno
""",
        titles=("Modelo", "Envío"),
        files={1: ("CREATE app/aviso.py",), 2: ("MODIFY app/correo.py", "MODIFY app/cola.py")},
        commands={2: ("pytest tests/correo",)},
        depends_on={2: (1,)},
        goal="Avisar a los usuarios.",
    ),
    "Portuguese, numbered headings in a plan of action": Written(
        text="""\
# Plano: relatórios

## Plano de ação

### 1. Criar o serviço

Criar `src/servico.go`.

### 2. Remover o antigo

Remover `src/antigo.go`.

## Critérios de aceitação

- `go test ./...`
""",
        titles=("Criar o serviço", "Remover o antigo"),
        files={1: ("CREATE src/servico.go",), 2: ("DELETE src/antigo.go",)},
        commands={2: ("go test ./...",)},
    ),
    "Russian, steps": Written(
        text="""\
# План: кэш

## Цель

Ускорить ответы.

## Шаг 1. Добавить кэш

Создать `cache/store.py`.

## Шаг 2. Подключить

Изменить `app/views.py`.

Зависит от: Шаг 1

### Проверка

- `pytest tests/cache`
""",
        titles=("Добавить кэш", "Подключить"),
        files={1: ("CREATE cache/store.py",), 2: ("MODIFY app/views.py",)},
        commands={2: ("pytest tests/cache",)},
        depends_on={2: (1,)},
        goal="Ускорить ответы.",
    ),
    "Korean, stages": Written(
        text="""\
# 로그인 구현 계획

## 1단계: 모델 추가

`src/user.ts` 생성

## 2단계: 화면 수정

`src/login.tsx` 수정

## 위험

- 없음
""",
        titles=("모델 추가", "화면 수정"),
        files={1: ("CREATE src/user.ts",), 2: ("MODIFY src/login.tsx",)},
        depends_on={2: (1,)},
    ),
    "Vietnamese, steps": Written(
        text="""\
# Kế hoạch: bộ lọc

## Bối cảnh

Danh sách quá dài.

## Bước 1: Tạo bộ lọc

Tạo `src/filter.js`.

## Bước 2: Sửa danh sách

Sửa `src/list.js`.
""",
        titles=("Tạo bộ lọc", "Sửa danh sách"),
        files={1: ("CREATE src/filter.js",), 2: ("MODIFY src/list.js",)},
        context="Danh sách quá dài.",
    ),
    "Check boxes in one list, some ticked": Written(
        text="""\
# Clean-up plan

## Tasks

- [x] Delete `old/a.py`
- [ ] Rename `lib/b.py` to `lib/c.py`
- [ ] Update `lib/d.py`
""",
        titles=("Delete `old/a.py`", "Rename `lib/b.py` to `lib/c.py`", "Update `lib/d.py`"),
        files={
            1: ("DELETE old/a.py",),
            2: ("MOVE lib/b.py lib/c.py",),
            3: ("MODIFY lib/d.py",),
        },
        done=(1,),
    ),
    "Check boxes in groups": Written(
        text="""\
# Release work

## Server

- [ ] Add `server/health.go`
- [ ] Modify `server/main.go`

## Client

- [ ] Add `client/retry.ts`

## Definition of done

- [ ] All green
""",
        titles=("Server", "Client"),
        files={1: ("CREATE server/health.go", "MODIFY server/main.go")},
    ),
    "A task table with dependencies": Written(
        text="""\
# Materials

## Implementation plan

| # | Task | File | Depends on |
|---|------|------|------------|
| 1 | Query | `src/query.ts` | - |
| 2 | Form | `src/form.tsx` | 1 |
| 3 | Page | `src/page.tsx` | 1, 2 |
""",
        titles=("Query", "Form", "Page"),
        files={1: ("? src/query.ts",)},
        depends_on={1: (), 2: (1,), 3: (1, 2)},
    ),
    "A list that counts on from phase to phase": Written(
        text="""\
# Skills

## Implementation plan

### Phase 1: High impact

1. **Ask for proof**
   - Modify `skills/proof.md`
2. **Say what was checked**
   - Modify `skills/check.md`

### Phase 2: Later

3. **Shorten**
   - Modify `skills/short.md`
""",
        titles=("Ask for proof", "Say what was checked", "Shorten"),
        files={3: ("MODIFY skills/short.md",)},
        depends_on={3: (1, 2)},
    ),
    "Steps with an order drawn beside them": Written(
        text="""\
# Plan: fees

## Steps

### Step 1: Migration

**New file**: `db/fees.sql`

### Step 2: Types

**File**: `src/types.ts`

### Step 3: Page

**File**: `src/page.tsx`

## Execution order

```
Step 1 ─┐ can run in parallel
Step 2 ─┘
Step 3 ── depends on Steps 1 and 2
```
""",
        titles=("Migration", "Types", "Page"),
        files={1: ("CREATE db/fees.sql",)},
        depends_on={1: (), 2: (), 3: (1, 2)},
    ),
    "Task elements": Written(
        text="""\
---
phase: 2
wave: 1
files_modified: [src/a.ts]
---

# Plan: elements

<tasks>

<task type="auto">
  <name>Task 1: Write a</name>
  <files>src/a.ts</files>
</task>

<task type="auto">
  <name>Task 2: Write b</name>
  <files>src/b.ts</files>
</task>

</tasks>
""",
        titles=("Write a", "Write b"),
    ),
    "Bold lines for headings": Written(
        text="""\
# Plan

**Step 1: Read**

Update `src/read.py`.

**Step 2: Write**

Update `src/write.py` after step 1.
""",
        titles=("Read", "Write"),
        files={2: ("MODIFY src/write.py",)},
        depends_on={2: (1,)},
    ),
    "One piece of work without parts": Written(
        text="""\
# Plan: a script that records a session

## Context

People do this by hand.

## Files

- Create `scripts/record.ts`
- Modify `package.json`

## Verification

1. `npm run record`

## Out of scope

- Replay
""",
        titles=("a script that records a session",),
        files={1: ("CREATE scripts/record.ts", "MODIFY package.json")},
        commands={1: ("npm run record",)},
        context="People do this by hand.",
        out_of_scope="- Replay",
    ),
    "A diff-like listing and produced names": Written(
        text="""\
# Plan

## Task 1: Make

```
A src/new.py
M src/old.py
D src/gone.py
```

- Produces: `make_all()`

## Task 2: Use

- Consumes: `make_all()`
- Modify `src/new.py`
""",
        titles=("Make", "Use"),
        files={1: ("CREATE src/new.py", "MODIFY src/old.py", "DELETE src/gone.py")},
        depends_on={2: (1,)},
    ),
    "Numbered boxes in phases, with marks": Written(
        text="""\
# Tasks: feature

## Phase 1: Setup

- [x] T001 Create `a.ts`
- [ ] T002 [P] Create `b.ts`

## Phase 2: Core

- [ ] T003 [P] Create `c.ts`
""",
        titles=("Create `a.ts`", "Create `b.ts`", "Create `c.ts`"),
        files={2: ("CREATE b.ts",)},
        depends_on={1: (), 2: (), 3: (1, 2)},
        done=(1,),
    ),
    "Folded sections": Written(
        text="""\
# Plan

<details>
<summary>Task 1: A</summary>

Create `a.py`.

</details>

<details>
<summary>Task 2: B</summary>

Create `b.py`.

</details>
""",
        titles=("A", "B"),
        files={2: ("CREATE b.py",)},
    ),
    "Underlined headings": Written(
        text="""\
Plan
====

Task 1: A
---------

Create `a.py`.

Task 2: B
---------

Create `b.py`.
""",
        titles=("A", "B"),
        files={1: ("CREATE a.py",)},
    ),
    "Chinese numerals, with a task that is about tests": Written(
        text="""\
# 重构计划

## 一、拆分模块

修改 `a.ts`

## 二、补充测试

新增 `a.test.ts`

## 三、风险

无
""",
        titles=("拆分模块", "补充测试"),
        files={2: ("CREATE a.test.ts",)},
    ),
    "Bullets under steps": Written(
        text="""\
# Dark mode

## Implementation steps

- **Tokens** in `theme.css`
- **Toggle** in `nav.tsx`
""",
        titles=("Tokens", "Toggle"),
    ),
    "A plan for a report": Written(
        text="""\
# Report Page Implementation Plan

## Step 1: Add the route

Edit `a.ts`.

## Step 2: Add the view

Edit `b.ts`.
""",
        titles=("Add the route", "Add the view"),
        files={1: ("MODIFY a.ts",)},
    ),
}

REFUSED: dict[str, tuple[str, str]] = {
    "nothing": ("", "empty"),
    "prose": ("The weather was fine, and we talked about it.\n", "prose"),
    "a review": (
        (
            "# Code review of the login\n\n## 1. Findings\n\n- `a.py:3` is slow\n\n"
            "## 2. Verdict\n\nGood.\n"
        ),
        "reports",
    ),
    "a report of what was done": (
        (
            "# Implementation report\n\n### ✅ 1. Store\n\nCreated `a.py`.\n\n"
            "### ✅ 2. Page\n\nDone.\n"
        ),
        "reports",
    ),
    "a report of tasks of which most are done": (
        (
            "# Report of the move\n\n## Task 1: A ✅\n\nMade `a.py`.\n\n"
            "## Task 2: B ✅\n\nMade.\n\n## Conclusion\n\nIt went well.\n"
        ),
        "reports",
    ),
    "a design whose parts are numbered": (
        (
            "# Login design\n\n## Overview\n\nx\n\n## 1. Sessions\n\n`a.py` holds them.\n\n"
            "## 2. Cookies\n\n`b.py` sets them.\n"
        ),
        "design",
    ),
    "research notes": (
        (
            "# Research notes for the plan\n\n## What the charts set\n\n"
            "`values.yaml` has 3 keys.\n\n## Ports\n\n8080.\n"
        ),
        "reports",
    ),
    "a prompt": (
        "# Plan reviewer prompt template\n\nUse this template.\n\n- Check the plan\n- Report\n",
        "prompt",
    ),
    "a design": (
        (
            "# 报表设计文档\n\n## 1. 背景\n\n说明。\n\n"
            "## 2. 架构\n\n`a.py` 负责。\n\n## 3. 输出\n\n表。\n"
        ),
        "design",
    ),
    "work that is done": (
        "## Task 1: A ✅\n\nCreate `a.py`.\n\n## Task 2: B\n\n- [x] Step\n",
        "ticked as done",
    ),
    "a skill": (
        (
            "---\nname: writing-plans\ndescription: Use when writing\n---\n\n# Writing Plans\n\n"
            "Write them to `docs/plan.md`.\n\n## Task structure\n\n```\n### Task N\n```\n"
        ),
        "prompt",
    ),
    "an order to an agent": (
        "# Planner\n\nYou are a planner.\n\n## Step 1: Read\n\nRead.\n\n## Step 2: Go\n\nGo.\n",
        "prompt",
    ),
    "a decision": (
        "# ADR 5: Use SQLite\n\n## Context\n\n`a.py`\n\n## Decision\n\nYes.\n",
        "design",
    ),
}
