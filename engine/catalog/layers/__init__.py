"""Layer declarations, one file per family; the file name is the family."""
