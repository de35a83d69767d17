"""The numbers that scripts of this folder compute with, the same in every run."""

import torch


def tensors(seed, decimals):
    """A function of shape, least and largest value that gives the next tensor of a linear congruential generator.

    Numbers have few decimals, so that their text says exactly what was computed with.
    """
    state = seed

    def tensor(shape, low, high):
        nonlocal state
        found = []
        for _ in range(torch.Size(shape).numel()):
            state = (state * 1664525 + 1013904223) % 2**32
            found.append(round(low + (high - low) * state / 2**32, decimals))
        return torch.tensor(found).reshape(shape)

    return tensor
