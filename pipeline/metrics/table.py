"""What each metric is called."""

from __future__ import annotations

METRICS = {
    "bleurt": "BLEURT",
    "bertscore_f1": "BERTScore F1",
    "meteor": "METEOR",
    "grounding": "Grounding (reciprocal rank)",
    "grounding_r1": "Grounding (found first of 100)",
    "judge": "Judge (prefers it to the teacher's)",
}
SIGNALS = {
    "prompt_echo": "prompt echoed",
    "copied_share": "copied",
    "repetition": "repeated",
    "length_ratio": "length",
    "unfinished": "unfinished",
    "truncated": "cut by token limit",
    "wrong_language": "wrong language",
    "failed": "failed",
    "bleurt_cut": "not read to the end by BLEURT",
    "bertscore_cut": "by BERTScore",
}
ROLES = {
    "teacher": "teacher",
    "student": "tuned student",
    "student_base": "base student",
    "control_constant": "control: one constant text",
    "control_nearest": "control: nearest review's text",
    "control_shuffled": "control: shuffled texts",
}
