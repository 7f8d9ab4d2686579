"""The small model that learns from a teacher: recipes and supervised fine-tuning.

In: prompts with completions. Out: an adapter in a folder.
Imported by stages and what stands above; imports core and backends.
"""
