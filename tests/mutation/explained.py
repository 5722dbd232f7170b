"""Changes that no test can notice: they make no difference, or none that is decided here."""

from collections.abc import Mapping

EXPLAINED: Mapping[str, Mapping[str, str]] = {
    "kimi.outcome": {
        "_gave_up.row: constant 'provider.'": "the rows look for the code anywhere in the words",
    },
}
