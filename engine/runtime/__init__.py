"""The only package that imports torch: shapes, building, data, training, evaluation, export."""
