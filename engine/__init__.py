"""Layerwright's engine: everything but the window. Imports without Qt; only `engine.runtime` imports torch.

    Project (the file) = Graph (nodes, edges, groups) + Recipe (data and how to train)

    Project --check, runtime.analyze--> Analysis: shapes, counts, problems, generated source
    Project --runtime.session.run--> an iterator of Events, each recorded in the run folder
    Events  --Timeline--> bounded series for charts; a finished run replays through the same Timeline

A *declaration* (`declare.py`, `catalog/`) is what can exist; a *Run* is one training; whatever is wrong is a *Problem*.
The generated source is the model: evaluated on the meta device it is the shape rule, written down it is the export,
executed it is what trains.

Layers of this package, each importing only what stands before it: problem, tensor, expr, concise, param, accept,
progress, plan; declare; sliding; catalog; graph, recipe, datafacts, analysis; project; edits, groups, names, history,
diff, check, source, layout; events; timeline, runs; runtime.
"""
