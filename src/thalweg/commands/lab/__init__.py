"""`thalweg lab`: the lab's tools besides `thalweg compare`."""
