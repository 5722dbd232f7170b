from kimi_mcp.processes.environment import passed_on


def test_only_what_is_named_reaches_our_programs():
    host = {
        "PATH": "/bin",
        "HOME": "/home/person",
        "LC_ALL": "C.UTF-8",
        "XDG_CACHE_HOME": "/cache",
        "https_proxy": "http://proxy",
        "ANTHROPIC_API_KEY": "secret",
        "CLAUDECODE": "1",
        "CLAUDE_PROJECT_DIR": "/project",
        "KIMI_API_KEY": "secret",
        "GITHUB_TOKEN": "secret",
        "LD_PRELOAD": "/evil.so",
        "NODE_OPTIONS": "--require=/evil.js",
        "GIT_DIR": "/elsewhere",
        "PYTHONPATH": "/elsewhere",
    }

    assert passed_on(host) == {
        name: host[name] for name in ("PATH", "HOME", "LC_ALL", "XDG_CACHE_HOME", "https_proxy")
    }
