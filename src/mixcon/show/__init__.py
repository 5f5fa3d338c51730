"""The page of `mixcon show`: a real split at work, and what a curious cloud redraws of it."""

from mixcon.serving._extra import check_extra

check_extra()

from mixcon.show.content import Content, check_images  # noqa: E402
from mixcon.show.learner import Learner  # noqa: E402
from mixcon.show.server import PageServer, check_runtime  # noqa: E402

__all__ = ["Content", "Learner", "PageServer", "check_images", "check_runtime"]
