"""The declarations: one class each, found by `engine.declare.catalogue()` and never imported by name."""
