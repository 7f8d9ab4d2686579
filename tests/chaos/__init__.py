"""What breaks it on purpose: kills, races, full disks, damaged files, and what other rooms' tests send. `make chaos` runs all of it."""
