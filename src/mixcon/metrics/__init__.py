"""Leakage per image, separability, floors under a leakage, and a bound beside it."""

from mixcon.metrics.bootstrap import bootstrap_interval
from mixcon.metrics.chance import chance_level
from mixcon.metrics.cosine import cosine
from mixcon.metrics.floors import class_mean, global_mean, nearest_neighbor
from mixcon.metrics.label_leakage import label_leakage
from mixcon.metrics.leakage_meter import LeakageMeter
from mixcon.metrics.log_mel import log_mel_distance
from mixcon.metrics.lpips import Lpips
from mixcon.metrics.metric import Metric, Pairwise
from mixcon.metrics.pairwise import METRICS, measure, metric_named
from mixcon.metrics.perceptual import PerceptualDistance, RecognizerDistance, psim
from mixcon.metrics.pixel import mse, psnr
from mixcon.metrics.recognizer import Recognizer, recognition, train_recognizer
from mixcon.metrics.reidentification import Reidentification, reidentify
from mixcon.metrics.separability import Separability, mixed_pairs, separability
from mixcon.metrics.si_sdr import si_sdr
from mixcon.metrics.structural import ssim
from mixcon.metrics.tokens import token_accuracy

__all__ = [
    "METRICS",
    "LeakageMeter",
    "Lpips",
    "Metric",
    "Pairwise",
    "PerceptualDistance",
    "Recognizer",
    "RecognizerDistance",
    "Reidentification",
    "Separability",
    "bootstrap_interval",
    "chance_level",
    "class_mean",
    "cosine",
    "global_mean",
    "label_leakage",
    "log_mel_distance",
    "measure",
    "metric_named",
    "mixed_pairs",
    "mse",
    "nearest_neighbor",
    "psim",
    "psnr",
    "recognition",
    "reidentify",
    "separability",
    "si_sdr",
    "ssim",
    "token_accuracy",
    "train_recognizer",
]
