"""How long a test waits for what must come.

A machine that runs everything at once has stopped for half a minute and more. Only a test that
fails waits so long, so the bound is far above anything that was seen.
"""

PATIENCE_S = 200.0  # below the `timeout` of each test in pyproject.toml
