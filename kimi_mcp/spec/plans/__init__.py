"""Plan to draft: what a plan's structure says, in any language, and nothing where it says nothing.

Pure, without a model, and in the time that the Markdown parser takes. `outline` reads the syntax
tree, `labels` and `roles` say what its parts are, `series` proposes what the tasks could be,
`choice` takes one or refuses, and `facts` reads each task's files, checks and dependencies.
"""
