"""The version of the phantom: results and checkpoints made with another one are refused."""

PHANTOM_VERSION = "0.2"
