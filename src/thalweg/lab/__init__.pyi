from thalweg.lab.api.compare import compare as compare
from thalweg.lab.api.comparison import Comparison as Comparison
from thalweg.lab.api.options import Options as Options
from thalweg.lab.api.progress import Progress as Progress
from thalweg.lab.bank.advise import Advice as Advice
from thalweg.lab.bank.advise import advise as advise
from thalweg.lab.refusal import Refusal as Refusal
from thalweg.lab.running.executors import Engine as Engine

__all__ = ["Advice", "Comparison", "Engine", "Options", "Progress", "Refusal", "advise", "compare"]
