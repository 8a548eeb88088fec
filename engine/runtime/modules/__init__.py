"""Module classes that torch lacks, one a file, importing only torch; their text goes into generated files."""
