"""Audit: how much of x comes back from z, by each attack, beside what the model is worth."""

from mixcon.audit.effort import effort_of
from mixcon.audit.environment import command_line, environment_of
from mixcon.audit.plan import AuditPlan, expected_seconds
from mixcon.audit.progress import AuditProgress
from mixcon.audit.records import (
    AttackRecord,
    BitsRecord,
    BoundRecord,
    Effort,
    Environment,
    Gallery,
    GuessRecord,
    MaskingRecord,
    ModelRecord,
    Report,
    SaturationRecord,
    SecretRecord,
    SeparabilityRecord,
)
from mixcon.audit.run import run_audit
from mixcon.audit.subject import Subject, fingerprint, subject_of, subjects_of

__all__ = [
    "AttackRecord",
    "AuditPlan",
    "AuditProgress",
    "BitsRecord",
    "BoundRecord",
    "Effort",
    "Environment",
    "Gallery",
    "GuessRecord",
    "MaskingRecord",
    "ModelRecord",
    "Report",
    "SaturationRecord",
    "SecretRecord",
    "SeparabilityRecord",
    "Subject",
    "command_line",
    "effort_of",
    "environment_of",
    "expected_seconds",
    "fingerprint",
    "run_audit",
    "subject_of",
    "subjects_of",
]
