"""ONNX files as graphs with weights: every node becomes a call of torch, and those become layers as any module's do.

    file --read--> nodes and numbers --build--> calls of torch --translate--> steps --> Graph

`file` reads without running anything and without leaving the file's folder; `values` and `views` say what flows between
nodes; `build` holds the network while it is made; `operators`, `layers`, `shapes`, `recurrent` and `fusions` know one
operator each; `scopes` reads groups and names out of the names that exporters write; `project` makes it a project and,
where onnxruntime is installed, compares the two networks.
"""
