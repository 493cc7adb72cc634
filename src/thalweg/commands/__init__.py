"""The commands of `thalweg`: a thin layer over the library's functions."""
