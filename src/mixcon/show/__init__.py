"""The page of `mixcon show`: a real split at work, and what a curious cloud redraws of it."""

from mixcon.show.content import Content, check_images
from mixcon.show.learner import Learner
from mixcon.show.server import PageServer, check_runtime, listen

__all__ = ["Content", "Learner", "PageServer", "check_images", "check_runtime", "listen"]
