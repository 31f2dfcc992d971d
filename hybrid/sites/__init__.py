"""Where studies run: this machine, or a cluster's scheduler; one file for each kind of site."""
