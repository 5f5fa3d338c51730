"""What no attacker can exceed. One bound a file, each with its theorem and assumptions."""

from mixcon.bounds.capacity import flipped_bits_capacity, laplace_capacity, noisy_sphere_capacity
from mixcon.bounds.cells import best_in_cells, cells, likeness_in_cells
from mixcon.bounds.fisher import fisher_information_leakage, unbiased_error_bound
from mixcon.bounds.identification import guess_by_information, guess_by_leakage
from mixcon.bounds.maximal_leakage import (
    bounded_gaussian_leakage,
    flipped_bits_leakage,
    laplace_box_leakage,
    noisy_sphere_leakage,
    word_leakage,
)
from mixcon.bounds.mutual_information import mutual_information_bound
from mixcon.bounds.van_trees import bayes_error_bound, neighborhood_error_bound

__all__ = [
    "bayes_error_bound",
    "best_in_cells",
    "bounded_gaussian_leakage",
    "cells",
    "fisher_information_leakage",
    "flipped_bits_capacity",
    "flipped_bits_leakage",
    "guess_by_information",
    "guess_by_leakage",
    "laplace_box_leakage",
    "laplace_capacity",
    "likeness_in_cells",
    "mutual_information_bound",
    "neighborhood_error_bound",
    "noisy_sphere_capacity",
    "noisy_sphere_leakage",
    "unbiased_error_bound",
    "word_leakage",
]
