"""The report's figures as inline SVG, one file each."""

from thalweg.lab.report.figures import drawing as drawing  # before anything here imports matplotlib
