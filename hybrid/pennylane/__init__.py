"""PennyLane's front door: devices whose circuits the toolkit runs."""
