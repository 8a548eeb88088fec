"""Modal questions and pages. They end in a call of somebody else's verb; none writes the project itself."""
