"""Data without torch: what a data set says about itself, reading it into numpy arrays, dividing it, its fingerprint.

A declared data set names its reader, a module with `read(settings, request) -> Raw`; `engine.runtime.data` turns the
result into tensors. Nothing here trains, preprocesses or knows a project.
"""
