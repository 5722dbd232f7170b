"""The whole loop on a scratch repository, with a scripted model instead of an account."""
