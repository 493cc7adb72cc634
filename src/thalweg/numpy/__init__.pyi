# Written by tools/stub.py from the rules' signatures. Do not edit.
from typing import Any, Literal

from thalweg import Dynamic, both, inside, outside
from thalweg.core.optimizer import GradFn, NonFinite, State
from thalweg.numpy.routes import routes as routes
from thalweg.numpy.saved import load_state as load_state, save_state as save_state
from thalweg.ops import Epsilon
from thalweg.rule import Rule
from thalweg.values.trees import Tree

class Optimizer:
    param_groups: list[dict[str, Any]]
    def __init__(
        self, params: Tree, rule: Any, lr: Any = None, *,
        seed: Any = 0, nonfinite: NonFinite = "propagate", lanes: int | None = None, fused: bool = True,
    ) -> None: ...
    def step(
        self, grads: Tree = None, *, loss: Any = None, grad_fn: GradFn | None = None, noise: Tree = None, curvature: Tree = None
    ) -> None: ...
    def ship(self) -> Tree: ...
    @property
    def state(self) -> State: ...
    @state.setter
    def state(self, state: State) -> None: ...
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state_dict: dict[str, Any]) -> None: ...
    def __repr__(self) -> str: ...

class _OfRule(Optimizer):
    def __init__(self, params: Tree, lr: Dynamic | None = None, *args: Any, **options: Any) -> None: ...

def of(rule: Rule) -> type[_OfRule]: ...
def class_name(rule: Rule) -> str: ...

class A2GradExp(Optimizer):
    """A2GradExp (Deng, Cheng & Lan 2018, arXiv 1810.00553, A2Grad-exp): an exponential average of the deviations."""

    def __init__(self, params: Tree, lr: Dynamic = 0.1, beta: Dynamic = 10.0, rho: Dynamic = 0.5, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class A2GradInc(Optimizer):
    """A2GradInc (Deng, Cheng & Lan 2018, arXiv 1810.00553, A2Grad-inc): later deviations count for more."""

    def __init__(self, params: Tree, lr: Dynamic = 0.1, beta: Dynamic = 10.0, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class A2GradUni(Optimizer):
    """A2GradUni (Deng, Cheng & Lan 2018, arXiv 1810.00553, A2Grad-uni): accelerated, with all deviations alike."""

    def __init__(self, params: Tree, lr: Dynamic = 0.1, beta: Dynamic = 10.0, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class AccSGD(Optimizer):
    """AccSGD (Kidambi, Netrapalli, Jain & Kakade 2018, arXiv 1803.05591, ASGD; Jain et al. 2018, arXiv 1704.08227)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.01, kappa: Dynamic = 1000.0, xi: Dynamic = 10.0, c: Dynamic = 0.7, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class ACProp(Optimizer):
    """ACProp (Zhuang, Ding, Tang, Dvornek, Tatikonda & Duncan 2021, arXiv 2110.05454, algorithm 2)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class AdaBelief(Optimizer):
    """AdaBelief (Zhuang et al. 2020, arXiv 2010.07468, algorithm 2)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = both(1e-16), *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class AdaBound(Optimizer):
    """AdaBound (Luo, Xiong, Liu & Sun 2019, arXiv 1902.09843, algorithm 2), with the bounds of its experiments."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, final_lr: Dynamic = 0.1, gamma: float | None = None, base_lr: float | None = None, eps: Dynamic = 0.0, bound_eps: Dynamic = 0.0, sqrt_decay: bool = True, bias_correction: bool = False, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class AdaDelta(Optimizer):
    """AdaDelta (Zeiler 2012, arXiv 1212.5701, algorithm 1)."""

    def __init__(self, params: Tree, lr: Dynamic = 1.0, rho: Dynamic = 0.95, eps: Dynamic = 1e-06, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class Adafactor(Optimizer):
    """Adafactor (Shazeer & Stern 2018, arXiv 1804.04235, algorithms 4 and 5): Adam's second moment in sublinear memory."""

    def __init__(self, params: Tree, lr: Dynamic = 0.01, beta2_decay: Dynamic = -0.8, eps1: Dynamic | Epsilon = inside(1e-30), eps2: Dynamic = 0.001, d: Dynamic = 1.0, weight_decay: Dynamic = 0.0, relative_step: bool = True, parameter_scale: bool = True, offset: Dynamic = 0.0, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class AdaGO(Optimizer):
    """AdaGO (Zhang, Liu & Schaeffer 2025, arXiv 2509.02981, algorithm 1): AdaGrad meets Muon."""

    def __init__(self, params: Tree, lr: Dynamic = 0.05, mu: Dynamic = 0.95, gamma: Dynamic = 10.0, v0: Dynamic = 0.001, least: Dynamic = 0.01, ns_steps: int = 5, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class AdaGrad(Optimizer):
    """AdaGrad (Duchi, Hazan & Singer 2011, JMLR 12:2121, the diagonal form)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.01, eps: Dynamic | Epsilon = outside(1e-08), accumulate: Literal['arriving', 'raw'] = 'arriving', *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class AdaGradNorm(Optimizer):
    """AdaGrad-Norm (Ward, Wu & Bottou 2018, arXiv 1806.01811, algorithm 1): one AdaGrad rate for the whole model."""

    def __init__(self, params: Tree, lr: Dynamic = 0.01, b0: Dynamic = 0.1, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class AdaHessian(Optimizer):
    """AdaHessian (Yao, Gholami, Shen, Mustafa, Keutzer & Mahoney 2020, arXiv 2006.00719, algorithm 1)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.15, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(0.0001), power: Dynamic = 1.0, average: bool = False, k: int = 1, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class Adai(Optimizer):
    """Adai (Xie, Wang, Zhang, Sato & Sugiyama 2022, arXiv 2006.15815, algorithm 2): adaptive inertia."""

    def __init__(self, params: Tree, lr: Dynamic = 0.1, beta0: Dynamic = 0.1, beta2: Dynamic = 0.99, eps: Dynamic = 0.001, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class Adalite(Optimizer):
    """Adalite (VatsaDev 2024, github.com/VatsaDev/adalite): Adam in the memory of a matrix's rows and columns."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic = 1e-06, eps2: Dynamic = 1e-10, tau: Dynamic = 1.0, weight_decay: Dynamic = 0.01, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class AdaLomo(Optimizer):
    """AdaLomo (Lv, Yan, Guo, Lv & Qiu 2023, arXiv 2310.10195, algorithm 1), as in the authors' code: Adafactor's step."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta2_decay: Dynamic = -0.8, eps1: Dynamic | Epsilon = inside(1e-30), eps2: Dynamic = 0.001, d: Dynamic = 1.0, weight_decay: Dynamic = 0.0, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class Adam(Optimizer):
    """Adam (Kingma & Ba 2015, arXiv 1412.6980, algorithm 1)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class AdamAtan2(Optimizer):
    """Adam-atan2 (Everett et al. 2024, arXiv 2407.05872): Adam without an epsilon, for any size of gradients."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class AdamMini(Optimizer):
    """Adam-mini (Zhang, Chen, Li, Ding, Wu, Kingma, Ye, Luo & Sun 2024, arXiv 2406.16793, algorithm 1): one rate for each block."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), weight_decay: Dynamic = 0.0, by_row: bool = True, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class AdaMax(Optimizer):
    """AdaMax (Kingma & Ba 2015, arXiv 1412.6980, algorithm 2), with 0/0 = 0."""

    def __init__(self, params: Tree, lr: Dynamic = 0.002, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic = 0.0, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class AdaMaxW(Optimizer):
    """AdaMaxW (Kingma & Ba 2015, arXiv 1412.6980, algorithm 2; decay: Loshchilov & Hutter 2019, arXiv 1711.05101)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.002, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic = 0.0, weight_decay: Dynamic = 0.01, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class AdamC(Optimizer):
    """AdamC (Defazio 2025, arXiv 2506.02285, algorithm 1): AdamW with corrected weight decay."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), weight_decay: Dynamic = 0.05, max_lr: Dynamic = 0.001, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class AdamD(Optimizer):
    """AdamD (St John 2021, arXiv 2110.10828): Adam that corrects the second moment alone."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08, raw=True), *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class AdamG(Optimizer):
    """AdamG (Pang, Yu, Hoang & Zhou 2024, arXiv 2405.04376, algorithm 2): Adam without a rate to tune."""

    def __init__(self, params: Tree, lr: Dynamic = 1.0, beta1: Dynamic = 0.95, beta2: Dynamic = 0.999, beta3: Dynamic = 0.95, p: Dynamic = 0.2, q: Dynamic = 0.24, eps: Dynamic | Epsilon = outside(1e-08), *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class AdaMod(Optimizer):
    """AdaMod (Ding, Ren, Luo & Sun 2019, arXiv 1910.12249, algorithm 1)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, beta3: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class AdamP(Optimizer):
    """AdamP (Heo, Chun, Oh, Han, Yun, Kim, Uh & Ha 2021, arXiv 2006.08217, algorithm 2): AdamW without radial steps."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), delta: Dynamic = 0.1, weight_decay: Dynamic = 0.0, share: Dynamic = 0.1, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class AdamS(Optimizer):
    """AdamS (Xie, Xu, Zhang, Sato & Sugiyama 2020, arXiv 2011.11152, algorithm AdamS): Adam with stable weight decay."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), weight_decay: Dynamic = 0.0001, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class AdaMuon(Optimizer):
    """AdaMuon (Si, Zhang & Shen 2025, arXiv 2507.11005, algorithm 1): Muon, with an adaptive rate for each entry."""

    def __init__(self, params: Tree, lr: Dynamic = 0.002, beta: Dynamic = 0.95, ns_steps: int = 5, eps: Dynamic = 1e-08, rms: Dynamic = 0.2, signed: bool = False, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class AdamW(Optimizer):
    """AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101, algorithm 2): Adam with decoupled weight decay."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), weight_decay: Dynamic = 0.01, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class Adan(Optimizer):
    """Adan (Xie, Zhou, Li, Lin & Yan 2022, arXiv 2208.06677, algorithm 1, without restarts and weight decay)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta1: Dynamic = 0.98, beta2: Dynamic = 0.92, beta3: Dynamic = 0.99, eps: Dynamic | Epsilon = outside(1e-08), *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class AdaNorm(Optimizer):
    """AdaNorm (Dubey, Singh & Chaudhuri 2023, arXiv 2210.06364, algorithm 2): the paper's AdamNorm."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, gamma: Dynamic = 0.95, eps: Dynamic | Epsilon = outside(1e-08), *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class AdaPNM(Optimizer):
    """AdaPNM (Xie, Yuan, Zhu & Sugiyama 2021, arXiv 2103.17182, algorithm 2): `pnm` over the root of the largest v so far."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta0: Dynamic = 1.0, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class AdaSecant(Optimizer):
    """AdaSecant (Gulcehre & Bengio 2014, arXiv 1412.7419; Gulcehre, Sotelo, Moczulski & Bengio 2017, arXiv 1703.00788)."""

    def __init__(self, params: Tree, lr: Dynamic = 1.0, variant: Literal['2014', '2017'] = '2017', decay: Dynamic = 0.95, slow_decay: Dynamic = 0.995, gamma_clip: float | None = None, gamma_reg: Dynamic = 1e-06, start_var_reduction: int = 1, use_adagrad: bool | None = None, delta_clip: float | None = None, eps: Dynamic = 1e-07, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class AdaShift(Optimizer):
    """AdaShift (Zhou, Zhang, Lu, Wang, Zhang & Yu 2019, arXiv 1810.00143, algorithm 1), without a spatial operation."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-10), n: int = 10, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class AdaSmooth(Optimizer):
    """AdaSmooth (Lu 2022, arXiv 2204.00825, algorithm 1)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, rho1: Dynamic = 0.5, rho2: Dynamic = 0.99, eps: Dynamic = 1e-06, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class AdEMAMix(Optimizer):
    """AdEMAMix (Pagliardini, Ablin & Grangier 2024, arXiv 2409.03137, algorithm 1, without its weight decay)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, beta3: Dynamic = 0.9999, alpha: Dynamic = 5.0, eps: Dynamic | Epsilon = outside(1e-08), T: Dynamic = 0.0, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class AdGD(Optimizer):
    """AdGD (Malitsky & Mishchenko 2020, arXiv 1910.09529, algorithm 1): gradient descent without a rate, without descent."""

    def __init__(self, params: Tree, lr: Dynamic = 1.0, first_rate: Dynamic = 1e-06, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class ADOPT(Optimizer):
    """ADOPT (Taniguchi et al. 2024, arXiv 2411.02853, algorithm 2; algorithm 1 is clipped=False)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta1: Dynamic = 0.9, beta2: Dynamic = 0.9999, eps: Dynamic = 1e-06, clipped: bool = True, c: Dynamic = 0.0, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class AEGD(Optimizer):
    """AEGD (Liu & Tian 2020, arXiv 2010.05109, algorithm 1): adaptive gradient descent with energy."""

    def __init__(self, params: Tree, lr: Dynamic = 0.1, c: Dynamic = 1.0, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class AggMo(Optimizer):
    """AggMo (Lucas, Sun, Zemel & Grosse 2019, arXiv 1804.00325, algorithm 1), with three velocities."""

    def __init__(self, params: Tree, lr: Dynamic = 0.01, beta2: Dynamic = 0.9, beta3: Dynamic = 0.99, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class Aida(Optimizer):
    """Aida (Zhang, Niwa & Kleijn 2022, arXiv 2203.13273, as in the authors' code): smaller differences among the step sizes."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic = 1e-08, K: int = 2, xi: Dynamic = 1e-20, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class ALIG(Optimizer):
    """ALI-G (Berrada, Zisserman & Kumar 2020, arXiv 1906.05661, algorithm 1): rates for models that can fit all data."""

    def __init__(self, params: Tree, lr: Dynamic = 0.1, mu: Dynamic = 0.9, eps: Dynamic = 1e-05, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class Amos(Optimizer):
    """Amos (Tian & Parikh 2022, arXiv 2210.11693, as in the authors' code): adaptive decay towards model-oriented scale."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, scale: Dynamic = 1.0, beta: Dynamic = 0.999, zeta: Dynamic = 0.25, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class AMSBound(Optimizer):
    """AMSBound (Luo, Xiong, Liu & Sun 2019, arXiv 1902.09843, algorithm 3): AdaBound on the largest v so far."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, final_lr: Dynamic = 0.1, gamma: float | None = None, base_lr: float | None = None, eps: Dynamic = 0.0, bound_eps: Dynamic = 0.0, sqrt_decay: bool = True, bias_correction: bool = False, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class AMSGrad(Optimizer):
    """AMSGrad (Reddi, Kale & Kumar 2018, arXiv 1904.09237, algorithm 2), with 0/0 = 0."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(0.0), *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class Ano(Optimizer):
    """Ano (Kegreisz 2025, arXiv 2508.18258, algorithm 1): the direction of an average, the size of the gradient."""

    def __init__(self, params: Tree, lr: Dynamic = 0.0001, beta1: Dynamic = 0.92, beta2: Dynamic = 0.99, eps: Dynamic | Epsilon = outside(1e-08), *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class Apollo(Optimizer):
    """Apollo (Ma 2020, arXiv 2009.13586, algorithm 1): a diagonal B that explains how the average gradient m changed."""

    def __init__(self, params: Tree, lr: Dynamic = 1.0, beta: Dynamic = 0.9, sigma: Dynamic = 1.0, eps: Dynamic = 0.0001, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class ApolloAdamW(Optimizer):
    """APOLLO (Zhu et al. 2024, arXiv 2412.05270, algorithm 1): gradient descent at rates that Adam would give a sketch of it."""

    def __init__(self, params: Tree, lr: Dynamic = 0.01, rank: int = 256, T: int = 200, scale: Dynamic = 1.0, per: Literal['channel', 'tensor'] = 'channel', beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-06), limit: Dynamic = 1.01, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class ASGD(Optimizer):
    """ASGD, averaged SGD (Polyak & Juditsky 1992, SIAM J. Control Optim. 30:838; the rate: Bottou 2010, COMPSTAT)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.01, lam: Dynamic = 0.0001, alpha: Dynamic = 0.75, t0: Dynamic = 0.0, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class AvaGrad(Optimizer):
    """AvaGrad (Savarese, McAllester, Babu & Maire 2021, CVPR, arXiv 1912.01823, algorithm 2)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.1, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic = 0.1, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class BCOS(Optimizer):
    """BCOS (Jiang & Xiao 2025, arXiv 2507.08963, with momentum and its conditional estimator): one memory in place of two."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta: Dynamic = 0.9, eps: Dynamic | Epsilon = outside(1e-06), *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class CAME(Optimizer):
    """CAME (Luo, Ren, Zheng, Jiang, Jiang & You 2023, arXiv 2307.02047, algorithm 2): confidence in a memory-efficient Adam."""

    def __init__(self, params: Tree, lr: Dynamic = 0.0002, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, beta3: Dynamic = 0.9999, eps1: Dynamic = 1e-30, eps2: Dynamic = 1e-16, d: Dynamic = 1.0, weight_decay: Dynamic = 0.0, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class COCOB(Optimizer):
    """COCOB (Orabona & Tommasi 2017, arXiv 1705.07795, algorithm 2, for backpropagation): coin betting, without a rate."""

    def __init__(self, params: Tree, lr: Dynamic = 1.0, alpha: Dynamic = 100.0, eps: Dynamic = 0.0, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class Conda(Optimizer):
    """Conda (Wang, Zhou, Dong, Li, Li, Zhou, Lao, Fang & Lin 2025, arXiv 2509.24218, algorithm 1): column-normalized Adam."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, T: int = 2000, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class DAdaptAdaGrad(Optimizer):
    """DAdapt-AdaGrad (Defazio & Mishchenko 2023, arXiv 2301.07733, AdaGrad with D-Adaptation, as in the authors' code)."""

    def __init__(self, params: Tree, lr: Dynamic = 1.0, d0: Dynamic = 1e-06, eps: Dynamic = 0.0, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class DAdaptAdam(Optimizer):
    """DAdapt-Adam (Defazio & Mishchenko 2023, arXiv 2301.07733, Adam with D-Adaptation): Adam at a rate that it finds by itself."""

    def __init__(self, params: Tree, lr: Dynamic = 1.0, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic = 1e-08, d0: Dynamic = 1e-06, weight_decay: Dynamic = 0.0, bias_correction: bool = False, metric: Literal['new', 'old'] = 'new', *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class DAdaptAdan(Optimizer):
    """DAdapt-Adan (Defazio & Mishchenko 2023, arXiv 2301.07733, in the authors' code alone): Adan at a rate that it finds itself."""

    def __init__(self, params: Tree, lr: Dynamic = 1.0, beta1: Dynamic = 0.98, beta2: Dynamic = 0.92, beta3: Dynamic = 0.99, eps: Dynamic = 1e-08, d0: Dynamic = 1e-06, weight_decay: Dynamic = 0.0, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class DAdaptLion(Optimizer):
    """DAdapt-Lion (Defazio & Mishchenko 2023, arXiv 2301.07733, in the authors' code alone): Lion at a rate that it finds itself."""

    def __init__(self, params: Tree, lr: Dynamic = 1.0, beta1: Dynamic = 0.9, beta2: Dynamic = 0.99, d0: Dynamic = 1e-06, weight_decay: Dynamic = 0.0, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class DAdaptSGD(Optimizer):
    """DAdapt-SGD (Defazio & Mishchenko 2023, arXiv 2301.07733, SGD with D-Adaptation): momentum at a rate it finds by itself."""

    def __init__(self, params: Tree, lr: Dynamic = 1.0, beta: Dynamic = 0.9, d0: Dynamic = 1e-06, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class diffGrad(Optimizer):
    """diffGrad (Dubey, Chakraborty, Roy, Mukherjee, Singh & Chaudhuri 2020, arXiv 1909.11015, equations 5-7)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class Dion(Optimizer):
    """Dion (Ahn, Xu, Abreu, Fan, Magakyan, Sharma, Zhan & Langford 2025, arXiv 2504.05295, algorithm 1)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.02, mu: Dynamic = 0.95, rank: int = 768, eps: Dynamic = 1e-08, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class DoG(Optimizer):
    """DoG (Ivgi, Hinder & Carmon 2023, arXiv 2302.12022, equation DoG, made safe by eps): distance over gradients."""

    def __init__(self, params: Tree, lr: Dynamic = 1.0, r_eps: Dynamic = 1e-06, eps: Dynamic = 1e-08, relative: bool = True, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class DoWG(Optimizer):
    """DoWG (Khaled, Mishchenko & Jin 2023, arXiv 2305.16284, algorithm 1): distance over weighted gradients."""

    def __init__(self, params: Tree, lr: Dynamic = 1.0, r_eps: Dynamic = 0.01, eps: Dynamic = 0.0, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class Eve(Optimizer):
    """Eve (Hayashi, Koushik & Neubig 2016-2018, arXiv 1611.01505 v3, algorithm 1; its first form is version="v1")."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, beta3: Dynamic = 0.999, c: Dynamic = 10.0, fstar: Dynamic = 0.0, eps: Dynamic = 1e-08, version: Literal['v3', 'v1'] = 'v3', k: Dynamic = 0.1, K: Dynamic = 10.0, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class EXAdam(Optimizer):
    """EXAdam (Adly 2024, arXiv 2412.20302, algorithm 1): Adam with adaptive cross-moments."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic = 1e-08, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class FAdam(Optimizer):
    """FAdam (Hwang 2024, arXiv 2405.12807, algorithm 1, with the exponent 1/2): natural gradients, clipped and then averaged."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic = 1e-08, eps2: Dynamic = 0.01, c: Dynamic = 1.0, weight_decay: Dynamic = 0.1, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class Fira(Optimizer):
    """Fira (Chen, Feng, Li, Lai, Yue, Yuan & Wang 2024, arXiv 2410.01623, algorithm 1): full-rank steps at the memory of GaLore."""

    def __init__(self, params: Tree, lr: Dynamic = 0.01, rank: int = 128, T: int = 200, scale: Dynamic = 1.0, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-06), limit: Dynamic = 1.01, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class FOCUS(Optimizer):
    """FOCUS (Liu, Liu & Gore 2025, arXiv 2501.12243, algorithm 1): Signum that is drawn towards the average of its points."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, gamma: Dynamic = 0.1, weight_decay: Dynamic = 0.0, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class Fromage(Optimizer):
    """Fromage (Bernstein, Vahdat, Yue & Liu 2020, arXiv 2002.03432, algorithm 1): steps a share lr of each layer's norm."""

    def __init__(self, params: Tree, lr: Dynamic = 0.01, min_norm: Dynamic = 0.0, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class FTRL(Optimizer):
    """FTRL (McMahan et al. 2013, KDD, "Ad click prediction: a view from the trenches", algorithm 1): FTRL-Proximal."""

    def __init__(self, params: Tree, lr: Dynamic = 0.1, beta: Dynamic = 1.0, l1: Dynamic = 0.0, l2: Dynamic = 0.0, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class GaLore(Optimizer):
    """GaLore (Zhao et al. 2024, arXiv 2403.03507, algorithm 2): Adam on a matrix's gradient as seen in `rank` directions."""

    def __init__(self, params: Tree, lr: Dynamic = 0.01, rank: int = 128, T: int = 200, scale: Dynamic = 0.25, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class Grams(Optimizer):
    """Grams (Cao, Li, Liang, Sha, Shi, Song, Xia & Zhou 2024, arXiv 2412.17107, algorithm 1)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-06), weight_decay: Dynamic = 0.0, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class KATE(Optimizer):
    """KATE (Choudhury, Tupitsa, Loizou, Horvath, Takac & Gorbunov 2024, arXiv 2403.02648, algorithm 1), with 0/0 = 0 if eps = 0."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, eta: Dynamic = 0.9, eps: Dynamic = 1e-08, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class LAMB(Optimizer):
    """LAMB (You, Li, Reddi et al. 2019, arXiv 1904.00962, algorithm 2): AdamW whose step is as long as the layer."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-06), weight_decay: Dynamic = 0.01, low: Dynamic = 0.0, high: Dynamic = ..., *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class LaProp(Optimizer):
    """LaProp (Ziyin, Wang & Ueda 2020, arXiv 2002.04839, algorithm 1)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.0004, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-15), *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class LARS(Optimizer):
    """LARS (You, Gitman & Ginsburg 2017, arXiv 1708.03888, algorithm 1): momentum at a rate for each layer."""

    def __init__(self, params: Tree, lr: Dynamic = 1.0, mu: Dynamic = 0.9, weight_decay: Dynamic = 0.0005, coefficient: Dynamic = 0.001, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class LBFGS(Optimizer):
    """L-BFGS (Nocedal 1980, Math. Comp. 35:773; Liu & Nocedal 1989, Math. Programming 45:503, algorithm 2.1)."""

    def __init__(self, params: Tree, lr: Dynamic = 1.0, history_size: int = 10, line_search: Literal['strong_wolfe', 'none'] = 'strong_wolfe', c1: Dynamic = 0.0001, c2: Dynamic = 0.9, evaluations: int = 25, min_curvature: Dynamic = 1e-10, tolerance: Dynamic = 1e-09, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class LDoG(Optimizer):
    """L-DoG (Ivgi, Hinder & Carmon 2023, arXiv 2302.12022, L-DoG): DoG for each tensor by itself."""

    def __init__(self, params: Tree, lr: Dynamic = 1.0, r_eps: Dynamic = 1e-06, eps: Dynamic = 1e-08, relative: bool = True, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class Learned(Optimizer):
    """The learned optimizer (Andrychowicz et al. 2016, arXiv 1606.04474, section 2 and appendix A)."""

    def __init__(self, params: Tree, lr: Dynamic = 1.0, weights: str = 'quadratics', *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class Lion(Optimizer):
    """Lion (Chen et al. 2023, arXiv 2302.06675, algorithm 2, without its weight decay)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.0001, beta1: Dynamic = 0.9, beta2: Dynamic = 0.99, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class MADGRAD(Optimizer):
    """MADGRAD (Defazio & Jelassi 2021, arXiv 2101.11075, algorithm 1): momentum on dual averaging in a cube root's scale."""

    def __init__(self, params: Tree, lr: Dynamic = 0.01, mu: Dynamic = 0.9, eps: Dynamic = 1e-06, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class MARS(Optimizer):
    """MARS (Yuan, Liu, Wu, Zhou & Gu 2024, arXiv 2411.10438, algorithm 2, MARS-AdamW): AdamW of variance-reduced gradients."""

    def __init__(self, params: Tree, lr: Dynamic = 0.003, gamma: Dynamic = 0.025, beta1: Dynamic = 0.95, beta2: Dynamic = 0.99, eps: Dynamic | Epsilon = outside(1e-08), weight_decay: Dynamic = 0.01, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class MechanicAdam(Optimizer):
    """Mechanic on Adam (Cutkosky, Defazio & Mehta 2023, arXiv 2306.00144, algorithm 1): Adam at a rate that it finds by itself."""

    def __init__(self, params: Tree, lr: Dynamic = 1.0, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), s_init: Dynamic = 1e-08, weight_decay: Dynamic = 0.01, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class MirrorMADGRAD(Optimizer):
    """Mirror MADGRAD (Defazio & Jelassi 2021, arXiv 2101.11075, in the authors' code alone): MADGRAD by mirror descent."""

    def __init__(self, params: Tree, lr: Dynamic = 0.01, mu: Dynamic = 0.9, eps: Dynamic = 0.0, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class Momentum(Optimizer):
    """Momentum (Polyak 1964, USSR Comp. Math. Math. Phys. 4:1; Rumelhart, Hinton & Williams 1986, Nature 323:533)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.01, mu: Dynamic = 0.9, dampening: Dynamic = 0.0, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class MoMo(Optimizer):
    """MoMo (Schaipp, Ohana, Eickenberg, Defazio & Gower 2023, arXiv 2305.07583, algorithm 1): momentum and a model's rate."""

    def __init__(self, params: Tree, lr: Dynamic = 1.0, beta: Dynamic = 0.9, fstar: Dynamic = 0.0, weight_decay: Dynamic = 0.0, estimate: bool = False, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class MoMoAdam(Optimizer):
    """MoMo-Adam (Schaipp, Ohana, Eickenberg, Defazio & Gower 2023, arXiv 2305.07583, algorithm 2): MoMo in Adam's metric."""

    def __init__(self, params: Tree, lr: Dynamic = 0.01, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), fstar: Dynamic = 0.0, weight_decay: Dynamic = 0.0, estimate: bool = False, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class MSVAG(Optimizer):
    """M-SVAG (Balles & Hennig 2018, ICML, arXiv 1705.07774, algorithm M-SVAG): momentum by its signal to noise."""

    def __init__(self, params: Tree, lr: Dynamic = 0.01, beta: Dynamic = 0.9, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class Muon(Optimizer):
    """Muon (Jordan, Jin, Boza, You, Cesista, Newhouse & Bernstein 2024, kellerjordan.github.io/posts/muon)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.02, mu: Dynamic = 0.95, nesterov: bool = True, momentum: Literal['ball', 'average', 'corrected'] = 'ball', ns_steps: int = 5, a: Dynamic = 3.4445, b: Dynamic = -4.775, c: Dynamic = 2.0315, eps: Dynamic | Epsilon = outside(1e-07), dtype: Literal['own', 'bfloat16'] = 'own', scale: Literal['original', 'transposed', 'match_rms_adamw', 'none'] = 'original', rms: Dynamic = 0.2, dual_norm: bool = False, preconditioning: Literal['frobenius', 'spectral', 'aol', 'schatten'] = 'frobenius', coefficients: tuple[tuple[float, float, float], ...] | None = None, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class MuonWithAdamW(Optimizer):
    """Muon with AdamW (Jordan et al. 2024, kellerjordan.github.io/posts/muon; AdamW: Loshchilov & Hutter 2019, arXiv 1711.05101)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.02, mu: Dynamic = 0.95, nesterov: bool = True, ns_steps: int = 5, dtype: Literal['own', 'bfloat16'] = 'own', scale: Literal['original', 'transposed', 'match_rms_adamw', 'none'] = 'original', weight_decay: Dynamic = 0.0, adamw_share: Dynamic = 0.015, beta1: Dynamic = 0.9, beta2: Dynamic = 0.95, eps: Dynamic | Epsilon = outside(1e-10), *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class Nadam(Optimizer):
    """Nadam (Dozat 2016, ICLR workshop, "Incorporating Nesterov momentum into Adam", algorithm 2)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.002, mu: Dynamic = 0.975, nu: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), psi: Dynamic = 0.004, schedule: bool = True, average: Literal['scheduled', 'constant'] = 'scheduled', nu_factor: bool = True, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class NadamW(Optimizer):
    """NadamW (Dozat 2016, ICLR workshop, algorithm 2; decay: Loshchilov & Hutter 2019, arXiv 1711.05101)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.002, mu: Dynamic = 0.975, nu: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), psi: Dynamic = 0.004, schedule: bool = True, average: Literal['scheduled', 'constant'] = 'scheduled', nu_factor: bool = True, weight_decay: Dynamic = 0.01, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class Nero(Optimizer):
    """Nero (Liu, Bernstein, Meister & Yue 2021, arXiv 2102.07227, as in the authors' code): the neuronal rotator."""

    def __init__(self, params: Tree, lr: Dynamic = 0.01, beta: Dynamic = 0.999, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class Nesterov(Optimizer):
    """Nesterov's accelerated gradient (Nesterov 1983; shifted form: Bengio et al. 2012, arXiv 1212.0901, equation 7)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.01, mu: Dynamic = 0.9, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class NoisySGD(Optimizer):
    """SGD with gradient noise (Neelakantan et al. 2015, arXiv 1511.06807, equation 1): normal draws that fade away."""

    def __init__(self, params: Tree, lr: Dynamic = 0.01, eta: Dynamic = 0.01, gamma: Dynamic = 0.55, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class NorMuon(Optimizer):
    """NorMuon (Li, Liu, Liang, Chen & Zhao 2025, arXiv 2510.05491, algorithm 1): Muon, with rows of equal size."""

    def __init__(self, params: Tree, lr: Dynamic = 0.002, beta1: Dynamic = 0.95, beta2: Dynamic = 0.95, ns_steps: int = 5, eps: Dynamic = 1e-08, rms: Dynamic = 0.2, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class NovoGrad(Optimizer):
    """NovoGrad (Ginsburg et al. 2019, arXiv 1905.11286, algorithm 1): momentum of gradients over their layer's norm."""

    def __init__(self, params: Tree, lr: Dynamic = 0.01, beta1: Dynamic = 0.95, beta2: Dynamic = 0.98, eps: Dynamic | Epsilon = outside(1e-08), weight_decay: Dynamic = 0.0, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class OptimisticAdam(Optimizer):
    """Optimistic Adam (Daskalakis, Ilyas, Syrgkanis & Zeng 2018, arXiv 1711.00141, algorithm 1): 2 Adam's step - the last."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), alpha: Dynamic = 1.0, beta: Dynamic = 1.0, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class OptimisticGd(Optimizer):
    """Optimistic gradient descent (Daskalakis, Ilyas, Syrgkanis & Zeng 2018, arXiv 1711.00141, optimistic mirror descent)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.01, alpha: Dynamic = 1.0, beta: Dynamic = 1.0, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class Padam(Optimizer):
    """Padam (Chen, Zhou, Tang, Yang, Cao & Gu 2020, IJCAI, arXiv 1806.06763, algorithm 1), with 0/0 = 0."""

    def __init__(self, params: Tree, lr: Dynamic = 0.1, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, p: Dynamic = 0.125, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class PID(Optimizer):
    """PID (An, Wang, Sun, Xu, Dai & Zhang 2018, CVPR, "A PID controller approach for stochastic optimization of deep networks")."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, mu: Dynamic = 0.9, kp: Dynamic = 1.0, ki: Dynamic = 5.0, kd: Dynamic = 10.0, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class PNM(Optimizer):
    """PNM (Xie, Yuan, Zhu & Sugiyama 2021, arXiv 2103.17182, algorithm 1): positive-negative momentum."""

    def __init__(self, params: Tree, lr: Dynamic = 0.1, beta0: Dynamic = 1.0, beta1: Dynamic = 0.9, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class PolarGrad(Optimizer):
    """PolarGrad (Lau, Long & Su 2025, arXiv 2505.21799, PolarGradM, momentum first): Muon with the size of its momentum."""

    def __init__(self, params: Tree, lr: Dynamic = 0.02, mu: Dynamic = 0.95, ns_steps: int = 12, weight_decay: Dynamic = 0.0, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class PolyakSGD(Optimizer):
    """SGD with Polyak's step (Loizou, Vaswani, Laradji & Lacoste-Julien 2021, arXiv 2002.10542, SPS_max; Polyak 1987)."""

    def __init__(self, params: Tree, lr: Dynamic = 1.0, c: Dynamic = 0.5, fstar: Dynamic = 0.0, positive_part: bool = True, eps: Dynamic = 0.0, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class Prodigy(Optimizer):
    """Prodigy (Mishchenko & Defazio 2023, arXiv 2306.06101, algorithm 4): Adam at a rate that it finds by itself."""

    def __init__(self, params: Tree, lr: Dynamic = 1.0, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic = 1e-08, d0: Dynamic = 1e-06, d_coef: Dynamic = 1.0, weight_decay: Dynamic = 0.0, bias_correction: bool = False, safeguard_warmup: bool = False, eps_by: Literal['d', 'next d'] = 'd', beta3: Dynamic = 0.0, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class PSGDKron(Optimizer):
    """PSGD-Kron (Li 2024, arXiv 2402.11858, Kronecker factors; Walters' code, github.com/evanatyourservice/kron_torch)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta: Dynamic = 0.9, fit_rate: Dynamic = 0.1, max_rms: Dynamic = 1.1, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class QHAdam(Optimizer):
    """QHAdam (Ma & Yarats 2019, arXiv 1810.06801, algorithm QHAdam)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, nu1: Dynamic = 0.7, nu2: Dynamic = 1.0, beta1: Dynamic = 0.995, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class QHM(Optimizer):
    """QHM (Ma & Yarats 2019, arXiv 1810.06801, algorithm QHM): quasi-hyperbolic momentum."""

    def __init__(self, params: Tree, lr: Dynamic = 0.1, nu: Dynamic = 0.7, beta: Dynamic = 0.999, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class RAdam(Optimizer):
    """RAdam (Liu, Jiang, He, Chen, Liu, Gao & Han 2020, arXiv 1908.03265, algorithm 2), with 0/0 = 0."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(0.0), threshold: Dynamic = 4.0, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class Ranger(Optimizer):
    """Ranger (Wright 2019, github.com/lessw2020/Ranger-Deep-Learning-Optimizer): RAdam with Lookahead."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, k: int = 6, alpha: Dynamic = 0.5, beta1: Dynamic = 0.95, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-05, raw=True), threshold: Dynamic = 5.0, weight_decay: Dynamic = 0.0, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class Ranger21(Optimizer):
    """Ranger21 (Wright & Demeure 2021, arXiv 2106.13731): AdamW with eight additions, each of them a method of its own."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, k: int = 5, alpha: Dynamic = 0.5, beta0: Dynamic = 0.9, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), clipping: Dynamic = 0.01, weight_decay: Dynamic = 0.0001, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class RMSprop(Optimizer):
    """RMSprop (Tieleman & Hinton 2012, Coursera, Neural networks for machine learning, lecture 6.5)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, rho: Dynamic = 0.9, eps: Dynamic | Epsilon = outside(1e-08), centred: bool = False, accumulate: Literal['arriving', 'raw'] = 'arriving', *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class RMSpropGraves(Optimizer):
    """RMSprop as Graves has it (2013, arXiv 1308.0850, equations 38-45): centred, with momentum, eps inside the root."""

    def __init__(self, params: Tree, lr: Dynamic = 0.0001, rho: Dynamic = 0.95, mu: Dynamic = 0.9, eps: Dynamic = 0.0001, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class Rprop(Optimizer):
    """Rprop (Riedmiller & Braun 1993, ICNN; without weight-backtracking: Igel & Huesken 2000, iRprop-)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.01, eta_minus: Dynamic = 0.5, eta_plus: Dynamic = 1.2, size_min: Dynamic = 1e-06, size_max: Dynamic = 50.0, backtracking: bool = False, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class SantaE(Optimizer):
    """Santa-E (Chen, Carlson, Gan, Li & Carin 2016, arXiv 1512.07962, algorithm 1, the Euler scheme)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.0001, sigma: Dynamic = 0.95, lam: Dynamic = 1e-08, C: Dynamic = 5.0, burnin: int = 100, temperature: Dynamic = 1.0, power: Dynamic = 0.5, N: Dynamic = 1.0, gradient_scale: float | None = None, g0: Literal['first', 'zero'] = 'first', curvature: bool = True, guard: Dynamic = 0.1, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class SantaSSS(Optimizer):
    """Santa-SSS (Chen, Carlson, Gan, Li & Carin 2016, arXiv 1512.07962, algorithm 2, the symmetric splitting scheme)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.0001, sigma: Dynamic = 0.95, lam: Dynamic = 1e-08, C: Dynamic = 5.0, burnin: int = 100, temperature: Dynamic = 1.0, power: Dynamic = 0.5, N: Dynamic = 1.0, gradient_scale: float | None = None, g0: Literal['first', 'zero'] = 'first', curvature: bool = True, guard: Dynamic = 0.1, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class ScheduleFreeAdamW(Optimizer):
    """Schedule-Free AdamW (Defazio, Yang, Mehta, Mishchenko, Khaled & Cutkosky 2024, arXiv 2405.15682, algorithm 1)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.0025, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), weight_decay: Dynamic = 0.0, power: Dynamic = 2.0, correction: Literal['rate', 'moment'] = 'rate', *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class ScheduleFreeRAdam(Optimizer):
    """Schedule-Free RAdam (Defazio et al. 2024, github.com/facebookresearch/schedule_free; their paper is arXiv 2405.15682)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.0025, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), weight_decay: Dynamic = 0.0, power: Dynamic = 2.0, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class ScheduleFreeSGD(Optimizer):
    """Schedule-Free SGD (Defazio, Yang, Mehta, Mishchenko, Khaled & Cutkosky 2024, arXiv 2405.15682, equations 2-4)."""

    def __init__(self, params: Tree, lr: Dynamic = 1.0, beta: Dynamic = 0.9, power: Dynamic = 2.0, weight_decay: Dynamic = 0.0, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class Scion(Optimizer):
    """Scion (Pethick, Xie, Antonakopoulos, Zhu, Silveti-Falls & Cevher 2025, arXiv 2502.07529, algorithm 2, SCG)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.002, mu: Dynamic = 0.9, radius: Dynamic = 50.0, ns_steps: int = 5, constrained: bool = True, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class SGD(Optimizer):
    """SGD, gradient descent (Robbins & Monro 1951, Ann. Math. Stat. 22:400, stochastic; Cauchy 1847, C. R. 25:536)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.01, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class SGDSaI(Optimizer):
    """SGD-SaI (Xu, Xiang, Cai & Wen 2024, arXiv 2412.11768, algorithm 1): learning rates scaled at initialization."""

    def __init__(self, params: Tree, lr: Dynamic = 0.01, mu: Dynamic = 0.9, eps: Dynamic | Epsilon = outside(1e-08), weight_decay: Dynamic = 0.01, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class SGDP(Optimizer):
    """SGDP (Heo, Chun, Oh, Han, Yun, Kim, Uh & Ha 2021, arXiv 2006.08217, algorithm 1): momentum without radial steps."""

    def __init__(self, params: Tree, lr: Dynamic = 0.01, mu: Dynamic = 0.9, delta: Dynamic = 0.1, weight_decay: Dynamic = 0.0, share: Dynamic = 0.1, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class SGDW(Optimizer):
    """SGDW (Loshchilov & Hutter 2019, arXiv 1711.05101, algorithm 1): momentum with decoupled weight decay."""

    def __init__(self, params: Tree, lr: Dynamic = 0.01, mu: Dynamic = 0.9, weight_decay: Dynamic = 0.01, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class Shampoo(Optimizer):
    """Shampoo (Gupta, Koren & Singer 2018, arXiv 1802.09568, algorithm 1): full-matrix AdaGrad, factored into two sides."""

    def __init__(self, params: Tree, lr: Dynamic = 0.1, eps: Dynamic = 0.0001, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class signSGD(Optimizer):
    """signSGD (Bernstein, Wang, Azizzadenesheli & Anandkumar 2018, arXiv 1802.04434, algorithm 1)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class Signum(Optimizer):
    """Signum (Bernstein, Wang, Azizzadenesheli & Anandkumar 2018, arXiv 1802.04434, algorithm 2)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta: Dynamic = 0.9, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class SimplifiedAdEMAMix(Optimizer):
    """Simplified AdEMAMix (Morwani, Vyas, Zhang & Kakade 2025, arXiv 2502.02431): a slow sum, and the gradient as the fast one."""

    def __init__(self, params: Tree, lr: Dynamic = 0.0001, beta1: Dynamic = 0.99, beta2: Dynamic = 0.95, alpha: Dynamic = 0.0, eps: Dynamic | Epsilon = outside(1e-08), *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class SM3(Optimizer):
    """SM3 (Anil, Gupta, Koren & Singer 2019, arXiv 1901.11150, algorithm SM3-II): AdaGrad in sublinear memory."""

    def __init__(self, params: Tree, lr: Dynamic = 0.1, version: Literal['II', 'I'] = 'II', eps: Dynamic | Epsilon = inside(0.0), *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class SMORMS3(Optimizer):
    """SMORMS3 (Funk 2015, "RMSprop loses to SMORMS3 - Beware the Epsilon!", sifter.org/~simon/journal/20150420.html)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, eps: Dynamic = 1e-16, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class SOAP(Optimizer):
    """SOAP (Vyas, Morwani, Zhao, Shapira, Brandfonbrener, Janson & Kakade 2024, arXiv 2409.11321, algorithm 3)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.003, f: int = 10, beta1: Dynamic = 0.95, beta2: Dynamic = 0.95, eps: Dynamic | Epsilon = outside(1e-08, raw=True), *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class Sophia(Optimizer):
    """Sophia (Liu, Li, Hall, Liang & Ma 2023, arXiv 2305.14342, algorithm 3, without its weight decay)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta1: Dynamic = 0.96, beta2: Dynamic = 0.99, gamma: Dynamic = 0.01, eps: Dynamic = 1e-12, k: int = 10, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class SPAM(Optimizer):
    """SPAM (Huang et al. 2025, arXiv 2501.06842, as in the authors' code, without sparse momentum): spike-aware Adam with resets."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-06, raw=True), every: int = 500, warm_up: int = 150, threshold: Dynamic = 5000.0, wait: int = 20, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class SparseAdam(Optimizer):
    """Sparse Adam, or lazy: Adam (Kingma & Ba 2015, arXiv 1412.6980, algorithm 1) only where there is a gradient."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class SPlus(Optimizer):
    """SPlus (Frans, Levine & Abbeel 2025, arXiv 2506.07254, algorithm 1): a stable whitening optimizer."""

    def __init__(self, params: Tree, lr: Dynamic = 0.1, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, T: int = 100, weight_decay: Dynamic = 0.01, beta: Dynamic = 0.999, factor: Dynamic = 0.001, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class SRMM(Optimizer):
    """SRMM (Lyu 2022, arXiv 2201.01652, algorithm 1, with quadratic surrogates): averaged points, averaged gradients."""

    def __init__(self, params: Tree, lr: Dynamic = 0.01, beta: Dynamic = 0.5, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class StableAdamW(Optimizer):
    """StableAdamW (Wortsman, Dettmers, Zettlemoyer, Morcos, Farhadi & Schmidt 2023, arXiv 2304.13013, algorithm 2)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta1: Dynamic = 0.9, beta2: Dynamic = 0.99, eps: Dynamic = 1e-06, weight_decay: Dynamic = 0.01, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class SWAN(Optimizer):
    """SWAN (Ma, Gong, Scetbon & Meeds 2024, arXiv 2412.13148, algorithm 1): SGD with whitening and normalization."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, iterations: int = 10, beta: Dynamic = 0.5, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), weight_decay: Dynamic = 0.0, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class SWATS(Optimizer):
    """SWATS (Keskar & Socher 2017, arXiv 1712.07628, algorithm 1): switches from Adam to SGD when their rates have settled."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-09, raw=True), tolerance: Dynamic = 1e-09, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class TAM(Optimizer):
    """TAM (Malviya et al. 2024, arXiv 2412.18790): torque-aware momentum, here of each tensor by itself."""

    def __init__(self, params: Tree, lr: Dynamic = 0.01, beta: Dynamic = 0.9, gamma: Dynamic = 0.9, eps: Dynamic = 1e-08, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class Tiger(Optimizer):
    """Tiger (Su 2023, github.com/bojone/tiger, basic form): Signum with decoupled weight decay, or Lion with equal betas."""

    def __init__(self, params: Tree, lr: Dynamic = 0.001, beta: Dynamic = 0.965, weight_decay: Dynamic = 0.01, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class VSGD(Optimizer):
    """VSGD (Chen, Kuzina, Esmaeili & Tomczak 2024, arXiv 2404.06549, algorithm 1): variational stochastic gradient descent."""

    def __init__(self, params: Tree, lr: Dynamic = 0.1, gamma: Dynamic = 1e-08, K: Dynamic = 30.0, kappa1: Dynamic = 0.81, kappa2: Dynamic = 0.9, delta: Dynamic = 0.0, eps: Dynamic = 0.0, *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...

class Yogi(Optimizer):
    """Yogi (Zaheer, Reddi, Sachan, Kale & Kumar 2018, NeurIPS, "Adaptive Methods for Nonconvex Optimization", algorithm 2)."""

    def __init__(self, params: Tree, lr: Dynamic = 0.01, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(0.001), *, seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True) -> None: ...
