from kimi_mcp.history import History
from kimi_mcp.history.known_files import Origin

NOON = "2026-01-02T12:00:00.000Z"
LATER = "2026-01-02T13:00:00.000Z"


def test_a_content_is_known_at_its_place_only_and_until_it_is_forgotten(history: History):
    history.know("/repo/a.md", "aa", origin=Origin.WRITTEN, at=NOON)
    history.know("/repo/a.md", "bb", origin=Origin.TRUSTED, at=LATER)

    assert history.is_known("/repo/a.md", "aa")
    assert history.is_known("/repo/a.md", "bb")
    assert not history.is_known("/repo/a.md", "cc")
    assert not history.is_known("/repo/b.md", "aa")
    assert history.forget("/repo/a.md") == 2
    assert not history.is_known("/repo/a.md", "aa")
    assert history.forget("/repo/a.md") == 0


def test_what_a_person_trusted_stays_trusted_when_it_is_written_again(history: History):
    history.know("/repo/a.md", "aa", origin=Origin.WRITTEN, at=NOON)
    history.know("/repo/a.md", "aa", origin=Origin.TRUSTED, at=LATER)
    history.know("/repo/a.md", "aa", origin=Origin.WRITTEN, at=NOON)

    (known,) = history.known_files()
    assert (known.path, known.hash, known.origin, known.at) == (
        "/repo/a.md",
        "aa",
        Origin.TRUSTED,
        LATER,
    )
