"""How fast it is: figures taken side by side in one run, and their ratios. Nothing here passes or fails."""
