"""Worker-made text as data: what Kimi, its files and its commands said, set apart from our words.

Readers of our replies have tools of their own, so nothing a worker wrote may look like ours. There
are two forms, and no third: a piece within a sentence stands in double quotes (`quotes`), anything
longer in an envelope with an unguessable marker (`envelope`). What reads like an instruction is
named in our own words outside of it (`instructions`). Secrets are taken out of all that is shown,
logged or stored (`secrets`). All pure but for the detector of secrets, which is loaded when needed.
"""
