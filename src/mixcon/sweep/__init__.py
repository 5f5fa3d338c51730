"""Sweeps: search over defenses for the front between utility and leakage."""

from mixcon.sweep.axes import Axis
from mixcon.sweep.choice import choose, chosen_toml, describe_choice
from mixcon.sweep.config import Limits, Sampler, SweepConfig, read_sweep_config
from mixcon.sweep.engine import Select
from mixcon.sweep.job import Job
from mixcon.sweep.judgments import CHEAP, STRONG
from mixcon.sweep.pool import LocalPool, Outcome, Pool
from mixcon.sweep.progress import JobProgress, SweepProgress
from mixcon.sweep.ray_pool import RayPool
from mixcon.sweep.records import Sweep, Trial
from mixcon.sweep.run import sweep
from mixcon.sweep.space import PAPER, Space
from mixcon.sweep.sweep_folder import SweepFolder
from mixcon.sweep.write import write_sweep

__all__ = [
    "CHEAP",
    "PAPER",
    "STRONG",
    "Axis",
    "Job",
    "JobProgress",
    "Limits",
    "LocalPool",
    "Outcome",
    "Pool",
    "RayPool",
    "Sampler",
    "Select",
    "Space",
    "Sweep",
    "SweepConfig",
    "SweepFolder",
    "SweepProgress",
    "Trial",
    "choose",
    "chosen_toml",
    "describe_choice",
    "read_sweep_config",
    "sweep",
    "write_sweep",
]
