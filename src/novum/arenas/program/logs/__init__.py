"""Formats that experiment trackers write: event files of TensorBoard, and the records of W&B."""
