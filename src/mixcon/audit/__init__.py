"""Audit: how much of x comes back from z, by each attack, beside what the model is worth."""

from mixcon.audit.effort import effort_of
from mixcon.audit.fingerprint import fingerprint
from mixcon.audit.measure import audit
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
    SeparabilityRecord,
)
from mixcon.audit.subjects import Subject, subject_of, subjects_of
from mixcon.audit.surroundings import environment

__all__ = [
    "AttackRecord",
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
    "SeparabilityRecord",
    "Subject",
    "audit",
    "effort_of",
    "environment",
    "fingerprint",
    "subject_of",
    "subjects_of",
]
