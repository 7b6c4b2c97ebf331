"""Shows a training run while it goes on."""

from __future__ import annotations

import time

import keras
import pandas as pd

from ..live import Board

COLUMNS = ["epoch", "loss", "accuracy", "val_loss", "val_accuracy"]


class LiveCurve(keras.callbacks.Callback):
    """Collects the history of a run and redraws its curve, at most twice a second."""

    def __init__(self, epochs: int, *, show: bool):
        super().__init__()
        self._epochs, self._board = epochs, Board() if show else None
        self._rows: list[dict] = []
        self._last_drawn = 0.0

    @property
    def history(self) -> pd.DataFrame:
        """One row an epoch, numbered from 1."""
        return pd.DataFrame(self._rows, columns=COLUMNS)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self._rows.append({"epoch": epoch + 1, **{name: float(logs[name]) for name in COLUMNS[1:]}})
        if self._board and time.monotonic() - self._last_drawn > 0.5:
            self._draw()
            self._last_drawn = time.monotonic()

    def on_train_end(self, logs: dict | None = None) -> None:
        if self._board and self._rows:
            self._draw()
            self._board.close()

    def _draw(self) -> None:
        last = self._rows[-1]
        line = (
            f"Epoch {last['epoch']} of {self._epochs}: loss {last['loss']:.3f}, accuracy {last['accuracy']:.1%}; "
            f"validation loss {last['val_loss']:.3f}, accuracy {last['val_accuracy']:.1%}"
        )
        figure = None
        if self._board.draws:
            from ..figures import training_curves

            figure = training_curves(self.history)
        self._board.update(line, figure)
