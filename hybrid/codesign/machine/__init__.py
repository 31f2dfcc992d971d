"""The classical side: what this machine reaches, where the time of a run goes, and what faster parts would save."""
