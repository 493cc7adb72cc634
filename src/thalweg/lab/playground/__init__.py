"""The playground: optimizers in a web page, whose steps are printed from the rules."""

from thalweg.lab.playground.page import names as names
from thalweg.lab.playground.page import page as page
