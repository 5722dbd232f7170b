"""The front door for people: the command line over the same use cases as the server."""
