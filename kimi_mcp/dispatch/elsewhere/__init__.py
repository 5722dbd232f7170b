"""An attempt carried out on another machine: what is sent, what is done there, what comes back."""
