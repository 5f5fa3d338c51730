"""Audit: how much of x comes back from z, by each attack, beside what the model is worth."""

from mixcon.audit.measure import AuditProgress, Subject, audit
from mixcon.audit.records import (
    AttackRecord,
    BoundRecord,
    Environment,
    Gallery,
    MaskingRecord,
    ModelRecord,
    Report,
    SeparabilityRecord,
)
from mixcon.audit.subjects import subject_of
from mixcon.audit.surroundings import environment

__all__ = [
    "AttackRecord",
    "AuditProgress",
    "BoundRecord",
    "Environment",
    "Gallery",
    "MaskingRecord",
    "ModelRecord",
    "Report",
    "SeparabilityRecord",
    "Subject",
    "audit",
    "environment",
    "subject_of",
]
