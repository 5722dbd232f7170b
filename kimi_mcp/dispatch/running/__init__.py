"""The runner's side: one dispatch carried out, task by task, in a process of its own."""
