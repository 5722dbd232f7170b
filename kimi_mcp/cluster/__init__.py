"""More than one machine, on Ray: an actor for each task attempt, and who speaks with it.

`engine` alone imports ray, in a process of its own; `calls` is how the runner speaks with it;
`keeper` is the actor; `node` is what a machine there is; `asked` is what is asked of a cluster, as
data.
"""
