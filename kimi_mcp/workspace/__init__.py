"""All that knows git: private clones, commits, scope, merges, publishing."""
