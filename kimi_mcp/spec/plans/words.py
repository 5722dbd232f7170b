"""The words that plans use, in the languages that they are written in. Pure data.

Latin and Cyrillic entries of five letters and more are beginnings of words, so that one entry
stands for its inflections; shorter ones are whole words. Entries in Chinese, Japanese and Korean
may stand anywhere, for there words are not parted, or bear endings.
`pattern` makes one expression of a list. What a list decides is said where it is used; a word that
is missing costs a question to the caller, never a guess.
"""

# ruff: noqa: RUF001  # plans are written with these signs

import re
from collections.abc import Iterable

TASK = """
    task todo ticket work_item work_package aufgabe arbeitspaket tâche tarea tarefa задача задачи
    задание nhiệm_vụ công_việc 任务 任務 タスク 작업 과제 태스크 compito attività taak zadanie görev
"""
BARRIER = """
    phase stage milestone wave sprint iteration 阶段 階段 里程碑 フェーズ 段階 etappe meilenstein
    jalon fase hito marco этап этапа фаза фазы giai_đoạn pha 단계 페이즈 fáze etap aşama
"""
STEP = """
    step 步骤 步驟 步 ステップ 手順 schritt étape etape paso etapa passo шаг bước 단계 스텝 tappa
    stap krok adım
"""
UNIT = f"""{STEP}
    slice group part track increment batch chunk stream workstream story change fix pr commit
    layer module component action item work patch 改动 方向 部分 工程 teil paket lot chantier
    partie parte часть phần
"""
NEVER = """
    example problem issue option risk question decision alternative perspective pattern format
    formato case scenario appendix finding table figure note requirement assumption criteri
    version day jour tag día goal principle lesson bug gap assertion approach reason observation
    insight priority priorité priorität method rule use 例 问题 問題 风险 方案 选项 决策 场景 案
    リスク 課題 質問 beispiel problème exemple risque décision ejemplo problema exemplo riesgo
    risco пример проблем риск вопрос ví_dụ vấn_đề 예시 문제 위험
"""

CONTAINER = """
    task step implement phase work_plan work_package work_item work_breakdown proposed change
    improvement remaining execution_plan roadmap to-do todo action deliverable milestone fixes
    detailed_plan plan_of detail_design changes_by plan_d'action étape etape tâche mise_en_œuvre
    implém implem livraison modification umsetzung schritte aufgabe phasen arbeitspaket maßnahme
    detailbeschr detailliert änderung vorgehen paso tarea implementa plan_de_acción
    plan_de_ejecución cambio fase passo tarefa etapa plano_de_ação plano_de_implementa altera
    mudança шаг задач этап план_реализ план_работ план_действ изменен các_bước nhiệm_vụ triển_khai
    kế_hoạch công_việc 任务 任務 步骤 步驟 实施 實施 实现 实作 改动 改造 修改 阶段 階段 开发 待办
    未完成 执行计划 タスク 手順 実装 フェーズ 作業 変更 実行計画 작업 단계 구현 계획 변경
"""
ORDER = """
    implementation_order implementation_priority order_of suggested_order suggested_group
    execution_order build_order sequence sequencing recommended_order priorit delivery_order
    reihenfolge umsetzungsreihenfolge ordre orden ordem порядок thứ_tự 顺序 順序 順番 優先順位
    순서
"""
APPROACH = """
    strategy proposed_solution solution stratégie lösung strategie solución estrategia solução
    estratégia стратеги решение giải_pháp chiến_lược 策略 解决方案 解決策 戦略 전략 해결
"""
VERIFY = """
    verif test validat validier validierung acceptance success_crit success_metric
    definition_of_done done_when complete_when checklist check_list how_to_test qa quality
    manual_check smoke exit_crit go/no vérif valid recette critères akzeptanz abnahme prüf
    überprüf pruebas verificación aceptación criterio verifica teste aceita критери провер тест
    приёмк kiểm_tra kiểm_thử xác_minh nghiệm_thu 验证 驗證 验收 測試 测试 检查 检验 検証 テスト
    確認 受け入れ 完了条件 動作確認 검증 테스트 확인 인수
"""
OUT_OF_SCOPE = """
    out_of_scope out-of-scope non-goal nongoal non_goal not_in_scope not_in_this
    what_this_does_not what's_not what_is_not not_doing won't excluded exclusion descoped deferred
    future later backlog next_up nice_to_have hors_scope hors_périmètre hors_sujet exclu
    non-objectif interdits nicht_im_umfang nicht_ziel nichtziel abgrenzung außerhalb ausser
    fuera_de no_objetivo fora_d não_objetivo вне_ не_входит không_thuộc ngoài_phạm_vi không_làm
    不做 不在 非目标 非目標 范围外 範圍外 不建议 未来 対象外 スコープ外 やらない 将来 범위_외 제외
    비목표 lo_que_no o_que_não ce_que_ce ajouts_futurs nachträgliche
"""
STATUS = """
    status execution_status execution_update implementation_status progress changelog change_log
    history log fixed verified_working bugs completed completion already_done done what_was_built
    decision_log session_log results what_we've historique journal avancement statut fortschritt
    stand verlauf erledigt estado progreso historial registro concluíd histórico статус прогресс
    журнал история tiến_độ trạng_thái nhật_ký 状态 狀態 进度 進度 变更记录 更新日志 已完成
    完成情况 提交记录 実装状況 進捗 ログ 履歴 更新履歴 상태 진행 이력 commits_attendus commits_
"""
ASIDE = """
    risk decision open_question question open_point open_consider offene alternative rationale
    trade-off tradeoff estimat effort timeline schedule session_estimate reference related
    appendix glossary faq troubleshoot example before/after handoff notes_for note self-review
    self_review review approval recommendation conclusion key_insight what_already existing reuse
    component_reuse requirement assumption data_flow data_model user_journey ux key_feature
    design_principle principle critical_files key_files file_map file_structure files affected
    dependenc rollback limitation metrics known lessons pitfalls gotcha security_consid
    observability cost budget prerequisite pre-flight preflight setup_notes commit_message
    commit_conv commit_strategy what_this_achieves execution_handoff docs_& problems_identified
    problem_ current_ gaps_to component_map disposition scope_decision for_ key_ interface api_de
    api_du risque décision question_ouverte estimation référence annexe dépendance fichiers
    existant ce_qui_existe contraintes écarts cas_spécif triple_lecture état_ etat_ mapping api
    risik entscheid annahme schätzung aufwand anhang betroffene abhängigkeit dateien offene_punkte
    technische_details build-anleitung hinweis rückfall riesgo decision preguntas supuesto
    estimación referencia anexo dependencia archivos estado_actual risco decis perguntas premissa
    estimativa referência arquivos dependência риск решени вопрос допущ оценк приложени зависимост
    файлы rủi_ro quyết_định câu_hỏi giả_định ước_tính tham_khảo phụ_lục phụ_thuộc tệp 风险 風險
    决策 決策 问题 待确认 假设 备选 替代 估算 工作量 参考 附录 依赖 文件清单 文件结构 文件边界
    关键文件 回滚 自审 自检 治理状态 归属 概括 対処 リスク 決定 未解決 前提 見積 参考 付録 依存
    ファイル 課題 規約 報告 成果物 注意 構成 위험 결정 질문 가정 추정 참고 부록 의존 파일 衝突回避
"""
CONTEXT = """
    context background why problem motivation convention architecture constraint tech_stack
    technical_context technical_constraint technical_notes current_state approach core_philosophy
    design technical_design contexte arrière-plan pourquoi motivation conventions architecture
    kontext hintergrund ausgangslage warum konvention architektur randbeding contexto antecedentes
    por_qué motivación convenciones arquitectura restriccion porque motivação convenç arquitetura
    restriç контекст предыстор почему мотивац архитектур ограничен соглашен bối_cảnh lý_do
    kiến_trúc ràng_buộc quy_ước 背景 上下文 现状 原因 约束 架构 技术栈 约定 動機 背景 前提 制約
    アーキテクチャ 方針 規約 배경 맥락 동기 제약 아키텍처 규칙 ルール
"""
GOAL = """
    goal objective overview summary purpose executive_summary tl;dr tldr intent aim scope objectif
    but résumé aperçu vue_d'ensemble ziel zusammenfassung überblick übersicht zweck objetivo
    resumen propósito visión_general resumo visão_geral цель цели обзор резюме mục_tiêu tổng_quan
    tóm_tắt mục_đích 目标 目標 目的 概述 概要 总结 摘要 总览 ゴール 목표 목적 개요 요약
"""

CREATE = """
    create creat add new neu neue neuer neues neuen anlegen erstell hinzuf crée créer nouveau
    nouvel ajout crear nuevo nueva nuevos nuevas añadir agreg criar novo nova adicion созда новы
    новая добав tạo mới thêm 新建 新增 创建 創建 追加 作成 新規 생성 추가 신규
"""
MODIFY = """
    modif updat edit chang extend änder geändert anpass bearbeit aktualis erweiter modifi
    mettre_à_jour étend actualiz edita atualiz alter измен обнов правк sửa cập_nhật 修改 更新 改动
    变更 変更 編集 修正 수정 변경 refactor fix touch adjust replace rewrite
"""
DELETE = """
    delet remov drop lösch entfern supprim retir elimin borra remove exclu apag удал xóa xoá 删除
    移除 刪除 削除 삭제 제거
"""
MOVE = """
    move renam verschieb umbenenn déplac renomm mover mueve renombr renome перемес переимен
    di_chuyển đổi_tên 移动 重命名 移動 リネーム 이동
"""
READ = """
    read see refer consult lesen siehe referenz lire voir référence leer ver consult ler прочит
    смотр справк đọc xem 参考 阅读 参照 参见 참고 read-only pattern
"""
FILE = """
    file files path target_file datei dateien pfad fichier chemin archivo fichero ruta arquivo
    caminho файл путь tệp tập_tin 文件 文件路径 路径 檔案 ファイル パス 파일 경로 涉及文件
    location where emplacement
"""
TEST = "test tests spec 测试 測試 テスト 테스트 тест"
RUN = """
    run re-run rerun command execute ausführen befehl lancer exécuter commande ejecutar comando
    executar запуст команд chạy lệnh 运行 執行 执行 命令 実行 コマンド 실행 명령
"""
DEPENDS = """
    depends dependency dependencies requires blocked after prerequisite needs hängt abhängig nach
    voraussetzung dépend après prérequis bloqué depende dependencia después requiere requisito
    dependência depois requer завис после требует phụ_thuộc sau_khi sau yêu_cầu 依赖 依賴 前置
    依存 前提 의존 선행
"""
EXPECT = """
    expect erwart attend résultat esperad résultat_attendu ожид kỳ_vọng mong_đợi 预期 預期 期望
    期待 기대 예상
"""
FAIL = """
    fail error red not_found cannot fehl échou échec falla error falha ошиб падает провал lỗi
    thất_bại 失败 失敗 报错 エラー 실패 에러 赤
"""
DONE = """
    done complete completed shipped merged landed implemented resolved erledigt fertig
    abgeschlossen fait terminé livré hecho completad terminad feito concluíd готов выполнен сделан
    xong hoàn_thành 已完成 完了 実装済 済み 완료
"""
LATER = """
    deferred postponed dropped skipped descoped cancelled canceled rejected workshop wontfix
    déféré deféré déferé reporté abandonné verschoben zurückgestellt gestrichen aplazad diferid
    descartad adiad отложен отменен отменён hoãn 延期 推迟 取消 不做 見送り 保留 보류 연기
"""
BUDGET = """
    budget steps_budget budget_steps 预算 予算 예산 бюджет presupuesto orçamento ngân_sách
"""
PARALLEL = """
    parallel concurrent independent simultan unabhängig parallèle indépendant paralel independient
    independente параллел независим song_song độc_lập 并行 並行 独立 互不依赖 並列 병렬 독립
"""

WORK = f"""{CREATE} {MODIFY} {DELETE} {MOVE}
    implement repair correct write build make migrate upgrade convert support extract split merge
    behebe repariere implementiere schreibe baue corrige répare implémente écris arregla
    implementa escribe conserta implemente escreva исправ реализ напиши viết sửa_lỗi 修复 实现
    重构 编写 补充 拆分 完善 优化 调整 迁移 接入 集成 配置 替换 抽取 実装 直す 修正 移行 対応 整理
    구현 수정 작성 이전
"""
QUESTIONS = """
    open_question open_point open_consider open_issue unresolved questions undecided offene_frage
    offene_punkte questions_ouvertes points_ouverts preguntas_abiertas perguntas questões
    открытые_вопрос câu_hỏi 待确认 开放问题 待定 未决 未決 未解決 要確認 미결 열린_질문
"""
PRODUCES = """
    produces provides exports outputs produziert liefert produit fournit 产出 提供 输出 生成物
    出力
"""
CONSUMES = """
    consumes uses_from inputs imports verwendet benötigt consomme utilise 消费 使用 输入 入力 利用
"""
PREPOSITION = """
    in to into from inside within at on of for by dans à de du depuis zu aus im en al desde por em
    no na do da para в из на к для trong vào từ cho
"""
NOT = """
    not don't never no nicht kein keine niemals pas jamais aucun sin nunca não nunca не нельзя
    không đừng chớ 不 勿 别 禁止 ない しない 않 말 untouched unchanged unverändert inchangé
    without unlike
"""

_UNPARTED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_SHORT = 4


def entries(words: str) -> list[str]:
    """Give a list's entries, the longest first."""
    return sorted((word.replace("_", " ") for word in words.split()), key=len, reverse=True)


def pattern(words: str, *, whole: bool = False) -> str:
    """Give an expression for a list; *whole* words only, where the script parts words.

    What parted words share, the look behind them and their endings, stands once: that makes the
    search several times faster.
    """
    unparted = [word for word in entries(words) if _UNPARTED.search(word)]
    parted = [word for word in entries(words) if not _UNPARTED.search(word)]
    short = [word for word in parted if whole or len(word) <= _SHORT]
    groups = [
        _either(short) + r"(?:e?s|e?n)?(?!\w)" if short else "",
        _either([word for word in parted if word not in short]) + r"\w*" if not whole else "",
    ]
    latin = "|".join(group for group in groups if not group.startswith("(?:)") and group)
    texts = [rf"(?<!\w)(?:{latin})" if latin else "", _either(unparted) if unparted else ""]
    return f"(?:{'|'.join(filter(None, texts))})"


def any_of(*lists: str, whole: bool = False) -> re.Pattern[str]:
    """Compile one expression for several lists."""
    return re.compile(pattern(" ".join(lists), whole=whole), re.IGNORECASE)


def first_of(text: str, kinds: Iterable[tuple[str, re.Pattern[str]]]) -> str | None:
    """Name the kind whose word comes first in *text*; of two at one place the one listed first."""
    found = ((match.start(), kind) for kind, words in kinds if (match := words.search(text)))
    return min(found, key=lambda pair: pair[0], default=(0, None))[1]


def _either(words: Iterable[str]) -> str:
    return "(?:" + "|".join(re.escape(word).replace(r"\ ", r"\s+") for word in words) + ")"
