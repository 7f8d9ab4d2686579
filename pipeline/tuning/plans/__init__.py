"""Many trainings as one table: what a plan says, what it will take, and what came of it."""
