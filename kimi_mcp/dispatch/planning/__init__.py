"""From a plan to a spec on the shelf, by the repository's own rules as far as they are trusted."""
