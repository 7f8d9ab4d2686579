"""What reviews are about: the taxonomy, the terms that mention its aspects, and themes beyond it.

In: texts and their language. Out: mentions, each with its clause as evidence.
Imported by backends and what stands above; imports core, text and reader.
"""
