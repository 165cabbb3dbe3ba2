"""From batches of token windows to trained weights."""

from llm_reference.train.batches import Batch, RandomWindows
from llm_reference.train.loop import History, Step, TrainConfig, TrainingDiverged, train

__all__ = [
    "Batch",
    "History",
    "RandomWindows",
    "Step",
    "TrainConfig",
    "TrainingDiverged",
    "train",
]
