"""The real Kimi Code is asked about a configuration; one that cannot be asked is no obstacle."""

import os
from dataclasses import replace
from pathlib import Path

from kimi_mcp.kimi.config_check import complaint
from kimi_mcp.kimi.detect import Kimi
from kimi_mcp.kimi.node import bundled_node

WRONG = '[background]\nprint_background_mode = "never"\n[providers.p]\napi_key = 12345\n'


def kimi_of(main: Path) -> Kimi:
    node = bundled_node()
    assert node is not None
    argv = (str(node.node), str(main))
    return Kimi(argv=argv, version="2.1.0", dialect="code", executable=main)


def asked(kimi: Kimi, config: str, folder: Path) -> str | None:
    return complaint(kimi, config, folder=folder, environ=os.environ)


def test_kimi_names_every_key_that_it_does_not_accept_and_no_value(kimi_main: Path, tmp_path: Path):
    said = asked(kimi_of(kimi_main), WRONG, tmp_path)

    assert said is not None
    assert "background.print_background_mode" in said
    assert "providers.p.api_key" in said
    assert "12345" not in said
    assert not list(tmp_path.glob(".config-*"))


def test_kimi_has_nothing_against_a_good_configuration(kimi_main: Path, tmp_path: Path):
    assert asked(kimi_of(kimi_main), "[loop_control]\nmax_steps_per_turn = 0\n", tmp_path) is None


def test_a_kimi_that_cannot_be_asked_does_not_stand_in_the_way(kimi_main: Path, tmp_path: Path):
    kimi = kimi_of(kimi_main)

    assert asked(replace(kimi, dialect="legacy"), WRONG, tmp_path) is None
    assert asked(replace(kimi, argv=("/nonexistent",)), WRONG, tmp_path) is None
    assert asked(replace(kimi, argv=("/bin/false",)), WRONG, tmp_path) is None
