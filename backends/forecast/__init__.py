"""What work on a device is expected to take, known before a job is sent: gates, time, fidelity, money."""
