# Written by tools/stub.py from the rules' signatures. Do not edit.
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias, overload

import numpy.typing as npt

from thalweg import ops as ops
from thalweg.core.arrange import arranged as arranged
from thalweg.core.compose import choose as choose, every as every, is_matrix as is_matrix, named as named, only as only
from thalweg.core.optimizer import Optimizer as Optimizer
from thalweg.core.routes import in_layer as in_layer, layerwise as layerwise, role as role, routes as routes
from thalweg.core.saved.pure import load_state as load_state, save_state as save_state
from thalweg.core.stage import chain as chain
from thalweg.dialects.method import dialect as dialect
from thalweg.form import schedules as schedules
from thalweg.form.hyper import BurnIn as BurnIn, Count as Count, DataSize as DataSize, Decay as Decay, Eps as Eps, Fraction as Fraction, Interval as Interval, LeastLoss as LeastLoss, NonNegative as NonNegative, Positive as Positive, Real as Real, Schedule as Schedule
from thalweg.form.memory import basis as basis, cols as cols, gaussian as gaussian, history as history, identity as identity, identity_of_cols as identity_of_cols, like_p as like_p, matrix as matrix, numbers as numbers, per_coordinate as per_coordinate, per_model as per_model, per_tensor as per_tensor, projected as projected, projector as projector, random_factor as random_factor, rows as rows, shipped as shipped, slices as slices, square as square, square_of_cols as square_of_cols
from thalweg.methods import rules as rules
from thalweg.ops import at_least as at_least, both as both, inside as inside, outside as outside
from thalweg.rule import Rule as Rule
from thalweg.values import trees as trees
from thalweg.core.stage import Stage
from thalweg.form.hyper import Former
from thalweg.ops import Epsilon

__version__: str

@overload
def rule(function: Callable[..., Any], /) -> Rule: ...
@overload
def rule(*, lr: float | None = None, search: tuple[float, float] | None = None, step: bool = False, given_grad_fn: Rule | None = None, former: dict[str, Former] | None = None) -> Callable[[Callable[..., Any]], Rule]: ...
@overload
def recipe(function: Callable[..., Any], /) -> Rule: ...
@overload
def recipe(*, lr: float | None = None, search: tuple[float, float] | None = None, former: dict[str, Former] | None = None) -> Callable[[Callable[..., Any]], Rule]: ...
@overload
def after_step(function: Callable[..., Any], /) -> Rule: ...
@overload
def after_step(*, resets: bool = False) -> Callable[[Callable[..., Any]], Rule]: ...
@overload
def around(function: Callable[..., Any], /) -> Rule: ...
@overload
def around(*, lr: float | None = None, search: tuple[float, float] | None = None, step: bool = False, decides: bool = False) -> Callable[[Callable[..., Any]], Rule]: ...

Dynamic: TypeAlias = float | Callable[[Any], Any] | Sequence[float] | npt.NDArray[Any]
"""A number, a schedule of t = 1, 2, ..., or with lanes one number each."""

class _A2gradExp(Rule):
    """A2GradExp (Deng, Cheng & Lan 2018, arXiv 1810.00553, A2Grad-exp): an exponential average of the deviations."""

    def __call__(self, beta: Dynamic = 10.0, rho: Dynamic = 0.5) -> Stage: ...

a2grad_exp: _A2gradExp

class _A2gradInc(Rule):
    """A2GradInc (Deng, Cheng & Lan 2018, arXiv 1810.00553, A2Grad-inc): later deviations count for more."""

    def __call__(self, beta: Dynamic = 10.0) -> Stage: ...

a2grad_inc: _A2gradInc

class _A2gradUni(Rule):
    """A2GradUni (Deng, Cheng & Lan 2018, arXiv 1810.00553, A2Grad-uni): accelerated, with all deviations alike."""

    def __call__(self, beta: Dynamic = 10.0) -> Stage: ...

a2grad_uni: _A2gradUni

class _Accsgd(Rule):
    """AccSGD (Kidambi, Netrapalli, Jain & Kakade 2018, arXiv 1803.05591, ASGD; Jain et al. 2018, arXiv 1704.08227)."""

    def __call__(self, kappa: Dynamic = 1000.0, xi: Dynamic = 10.0, c: Dynamic = 0.7) -> Stage: ...

accsgd: _Accsgd

class _Acprop(Rule):
    """ACProp (Zhuang, Ding, Tang, Dvornek, Tatikonda & Duncan 2021, arXiv 2110.05454, algorithm 2)."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08)) -> Stage: ...

acprop: _Acprop

class _Adabelief(Rule):
    """AdaBelief (Zhuang et al. 2020, arXiv 2010.07468, algorithm 2)."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = both(1e-16)) -> Stage: ...

adabelief: _Adabelief

class _Adabound(Rule):
    """AdaBound (Luo, Xiong, Liu & Sun 2019, arXiv 1902.09843, algorithm 2), with the bounds of its experiments."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, final_lr: Dynamic = 0.1, gamma: float | None = None, base_lr: float | None = None, eps: Dynamic = 0.0, bound_eps: Dynamic = 0.0, sqrt_decay: bool = True, bias_correction: bool = False) -> Stage: ...

adabound: _Adabound

class _Adadelta(Rule):
    """AdaDelta (Zeiler 2012, arXiv 1212.5701, algorithm 1)."""

    def __call__(self, rho: Dynamic = 0.95, eps: Dynamic = 1e-06) -> Stage: ...

adadelta: _Adadelta

class _Adafactor(Rule):
    """Adafactor (Shazeer & Stern 2018, arXiv 1804.04235, algorithms 4 and 5): Adam's second moment in sublinear memory."""

    def __call__(self, beta2_decay: Dynamic = -0.8, eps1: Dynamic | Epsilon = inside(1e-30), eps2: Dynamic = 0.001, d: Dynamic = 1.0, weight_decay: Dynamic = 0.0, relative_step: bool = True, parameter_scale: bool = True, offset: Dynamic = 0.0) -> Stage: ...

adafactor: _Adafactor

class _AdafactorMatrix(Rule):
    """Adafactor for weight matrices (Shazeer & Stern 2018, arXiv 1804.04235, algorithm 4), the last two axes of a tensor."""

    def __call__(self, beta2_decay: Dynamic = -0.8, eps1: Dynamic | Epsilon = inside(1e-30), eps2: Dynamic = 0.001, d: Dynamic = 1.0, relative_step: bool = True, parameter_scale: bool = True, offset: Dynamic = 0.0) -> Stage: ...

adafactor_matrix: _AdafactorMatrix

class _AdafactorVector(Rule):
    """Adafactor for weight vectors (Shazeer & Stern 2018, arXiv 1804.04235, algorithm 5); for a tensor of any shape."""

    def __call__(self, beta2_decay: Dynamic = -0.8, eps1: Dynamic | Epsilon = inside(1e-30), eps2: Dynamic = 0.001, d: Dynamic = 1.0, relative_step: bool = True, parameter_scale: bool = True, offset: Dynamic = 0.0) -> Stage: ...

adafactor_vector: _AdafactorVector

class _Adagc(Rule):
    """AdaGC (Wang et al. 2025, arXiv 2502.11034, algorithm 1): clipping by an average of each tensor's clipped norms."""

    def __call__(self, relative: Dynamic = 1.05, max_norm: Dynamic = 1.0, beta: Dynamic = 0.98, start: int = 100) -> Stage: ...

adagc: _Adagc

class _Adago(Rule):
    """AdaGO (Zhang, Liu & Schaeffer 2025, arXiv 2509.02981, algorithm 1): AdaGrad meets Muon."""

    def __call__(self, mu: Dynamic = 0.95, gamma: Dynamic = 10.0, v0: Dynamic = 0.001, least: Dynamic = 0.01, ns_steps: int = 5) -> Stage: ...

adago: _Adago

class _Adagrad(Rule):
    """AdaGrad (Duchi, Hazan & Singer 2011, JMLR 12:2121, the diagonal form)."""

    def __call__(self, eps: Dynamic | Epsilon = outside(1e-08), accumulate: Literal['arriving', 'raw'] = 'arriving') -> Stage: ...

adagrad: _Adagrad

class _AdagradNorm(Rule):
    """AdaGrad-Norm (Ward, Wu & Bottou 2018, arXiv 1806.01811, algorithm 1): one AdaGrad rate for the whole model."""

    def __call__(self, b0: Dynamic = 0.1) -> Stage: ...

adagrad_norm: _AdagradNorm

class _Adahessian(Rule):
    """AdaHessian (Yao, Gholami, Shen, Mustafa, Keutzer & Mahoney 2020, arXiv 2006.00719, algorithm 1)."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(0.0001), power: Dynamic = 1.0, average: bool = False, k: int = 1) -> Stage: ...

adahessian: _Adahessian

class _Adai(Rule):
    """Adai (Xie, Wang, Zhang, Sato & Sugiyama 2022, arXiv 2006.15815, algorithm 2): adaptive inertia."""

    def __call__(self, beta0: Dynamic = 0.1, beta2: Dynamic = 0.99, eps: Dynamic = 0.001) -> Stage: ...

adai: _Adai

class _Adalite(Rule):
    """Adalite (VatsaDev 2024, github.com/VatsaDev/adalite): Adam in the memory of a matrix's rows and columns."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic = 1e-06, eps2: Dynamic = 1e-10, tau: Dynamic = 1.0, weight_decay: Dynamic = 0.01) -> Stage: ...

adalite: _Adalite

class _AdaliteMatrix(Rule):
    """Adalite's step of a matrix (VatsaDev 2024, github.com/VatsaDev/adalite)."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic = 1e-06, eps2: Dynamic = 1e-10, tau: Dynamic = 1.0) -> Stage: ...

adalite_matrix: _AdaliteMatrix

class _AdaliteVector(Rule):
    """Adalite's step of a vector (VatsaDev 2024, github.com/VatsaDev/adalite): an AdaBelief that looks ahead."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic = 1e-06) -> Stage: ...

adalite_vector: _AdaliteVector

class _Adalomo(Rule):
    """AdaLomo (Lv, Yan, Guo, Lv & Qiu 2023, arXiv 2310.10195, algorithm 1), as in the authors' code: Adafactor's step."""

    def __call__(self, beta2_decay: Dynamic = -0.8, eps1: Dynamic | Epsilon = inside(1e-30), eps2: Dynamic = 0.001, d: Dynamic = 1.0, weight_decay: Dynamic = 0.0) -> Stage: ...

adalomo: _Adalomo

class _Adam(Rule):
    """Adam (Kingma & Ba 2015, arXiv 1412.6980, algorithm 1)."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08)) -> Stage: ...

adam: _Adam

class _AdamAtan2(Rule):
    """Adam-atan2 (Everett et al. 2024, arXiv 2407.05872): Adam without an epsilon, for any size of gradients."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999) -> Stage: ...

adam_atan2: _AdamAtan2

class _AdamByRow(Rule):
    """Adam-mini's step with a second moment for each row of a matrix (Zhang et al. 2024, arXiv 2406.16793, algorithm 1)."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08)) -> Stage: ...

adam_by_row: _AdamByRow

class _AdamByTensor(Rule):
    """Adam-mini's step with one second moment for a tensor (Zhang et al. 2024, arXiv 2406.16793, algorithm 1)."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08)) -> Stage: ...

adam_by_tensor: _AdamByTensor

class _AdamMini(Rule):
    """Adam-mini (Zhang, Chen, Li, Ding, Wu, Kingma, Ye, Luo & Sun 2024, arXiv 2406.16793, algorithm 1): one rate for each block."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), weight_decay: Dynamic = 0.0, by_row: bool = True) -> Stage: ...

adam_mini: _AdamMini

class _Adamax(Rule):
    """AdaMax (Kingma & Ba 2015, arXiv 1412.6980, algorithm 2), with 0/0 = 0."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic = 0.0) -> Stage: ...

adamax: _Adamax

class _Adamaxw(Rule):
    """AdaMaxW (Kingma & Ba 2015, arXiv 1412.6980, algorithm 2; decay: Loshchilov & Hutter 2019, arXiv 1711.05101)."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic = 0.0, weight_decay: Dynamic = 0.01) -> Stage: ...

adamaxw: _Adamaxw

class _Adamc(Rule):
    """AdamC (Defazio 2025, arXiv 2506.02285, algorithm 1): AdamW with corrected weight decay."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), weight_decay: Dynamic = 0.05, max_lr: Dynamic = 0.001) -> Stage: ...

adamc: _Adamc

class _Adamd(Rule):
    """AdamD (St John 2021, arXiv 2110.10828): Adam that corrects the second moment alone."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08, raw=True)) -> Stage: ...

adamd: _Adamd

class _Adamg(Rule):
    """AdamG (Pang, Yu, Hoang & Zhou 2024, arXiv 2405.04376, algorithm 2): Adam without a rate to tune."""

    def __call__(self, beta1: Dynamic = 0.95, beta2: Dynamic = 0.999, beta3: Dynamic = 0.95, p: Dynamic = 0.2, q: Dynamic = 0.24, eps: Dynamic | Epsilon = outside(1e-08)) -> Stage: ...

adamg: _Adamg

class _Adamod(Rule):
    """AdaMod (Ding, Ren, Luo & Sun 2019, arXiv 1910.12249, algorithm 1)."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, beta3: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08)) -> Stage: ...

adamod: _Adamod

class _Adamp(Rule):
    """AdamP (Heo, Chun, Oh, Han, Yun, Kim, Uh & Ha 2021, arXiv 2006.08217, algorithm 2): AdamW without radial steps."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), delta: Dynamic = 0.1, weight_decay: Dynamic = 0.0, share: Dynamic = 0.1) -> Stage: ...

adamp: _Adamp

class _Adams(Rule):
    """AdamS (Xie, Xu, Zhang, Sato & Sugiyama 2020, arXiv 2011.11152, algorithm AdamS): Adam with stable weight decay."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), weight_decay: Dynamic = 0.0001) -> Stage: ...

adams: _Adams

class _Adamuon(Rule):
    """AdaMuon (Si, Zhang & Shen 2025, arXiv 2507.11005, algorithm 1): Muon, with an adaptive rate for each entry."""

    def __call__(self, beta: Dynamic = 0.95, ns_steps: int = 5, eps: Dynamic = 1e-08, rms: Dynamic = 0.2, signed: bool = False) -> Stage: ...

adamuon: _Adamuon

class _Adamw(Rule):
    """AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101, algorithm 2): Adam with decoupled weight decay."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), weight_decay: Dynamic = 0.01) -> Stage: ...

adamw: _Adamw

class _Adan(Rule):
    """Adan (Xie, Zhou, Li, Lin & Yan 2022, arXiv 2208.06677, algorithm 1, without restarts and weight decay)."""

    def __call__(self, beta1: Dynamic = 0.98, beta2: Dynamic = 0.92, beta3: Dynamic = 0.99, eps: Dynamic | Epsilon = outside(1e-08)) -> Stage: ...

adan: _Adan

class _Adanorm(Rule):
    """AdaNorm (Dubey, Singh & Chaudhuri 2023, arXiv 2210.06364, algorithm 2): the paper's AdamNorm."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, gamma: Dynamic = 0.95, eps: Dynamic | Epsilon = outside(1e-08)) -> Stage: ...

adanorm: _Adanorm

class _Adapnm(Rule):
    """AdaPNM (Xie, Yuan, Zhu & Sugiyama 2021, arXiv 2103.17182, algorithm 2): `pnm` over the root of the largest v so far."""

    def __call__(self, beta0: Dynamic = 1.0, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08)) -> Stage: ...

adapnm: _Adapnm

class _AdapnmToNormOne(Rule):
    """Ranger21's step (Wright & Demeure 2021, arXiv 2106.13731): AdaPNM's, with norm loss as a stable weight decay."""

    def __call__(self, beta0: Dynamic = 0.9, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), weight_decay: Dynamic = 0.0001, unit: Literal['row', 'tensor'] = 'row') -> Stage: ...

adapnm_to_norm_one: _AdapnmToNormOne

class _Adasecant(Rule):
    """AdaSecant (Gulcehre & Bengio 2014, arXiv 1412.7419; Gulcehre, Sotelo, Moczulski & Bengio 2017, arXiv 1703.00788)."""

    def __call__(self, variant: Literal['2014', '2017'] = '2017', decay: Dynamic = 0.95, slow_decay: Dynamic = 0.995, gamma_clip: float | None = None, gamma_reg: Dynamic = 1e-06, start_var_reduction: int = 1, use_adagrad: bool | None = None, delta_clip: float | None = None, eps: Dynamic = 1e-07) -> Stage: ...

adasecant: _Adasecant

class _Adashift(Rule):
    """AdaShift (Zhou, Zhang, Lu, Wang, Zhang & Yu 2019, arXiv 1810.00143, algorithm 1), without a spatial operation."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-10), n: int = 10) -> Stage: ...

adashift: _Adashift

class _Adasmooth(Rule):
    """AdaSmooth (Lu 2022, arXiv 2204.00825, algorithm 1)."""

    def __call__(self, rho1: Dynamic = 0.5, rho2: Dynamic = 0.99, eps: Dynamic = 1e-06) -> Stage: ...

adasmooth: _Adasmooth

class _Ademamix(Rule):
    """AdEMAMix (Pagliardini, Ablin & Grangier 2024, arXiv 2409.03137, algorithm 1, without its weight decay)."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, beta3: Dynamic = 0.9999, alpha: Dynamic = 5.0, eps: Dynamic | Epsilon = outside(1e-08), T: Dynamic = 0.0) -> Stage: ...

ademamix: _Ademamix

class _Adgd(Rule):
    """AdGD (Malitsky & Mishchenko 2020, arXiv 1910.09529, algorithm 1): gradient descent without a rate, without descent."""

    def __call__(self, first_rate: Dynamic = 1e-06) -> Stage: ...

adgd: _Adgd

class _Adopt(Rule):
    """ADOPT (Taniguchi et al. 2024, arXiv 2411.02853, algorithm 2; algorithm 1 is clipped=False)."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.9999, eps: Dynamic = 1e-06, clipped: bool = True, c: Dynamic = 0.0) -> Stage: ...

adopt: _Adopt

class _Aegd(Rule):
    """AEGD (Liu & Tian 2020, arXiv 2010.05109, algorithm 1): adaptive gradient descent with energy."""

    def __call__(self, c: Dynamic = 1.0) -> Stage: ...

aegd: _Aegd

class _Agc(Rule):
    """Adaptive gradient clipping (Brock, De, Smith & Simonyan 2021, arXiv 2102.06171, equation 3): by the parameter's norm."""

    def __call__(self, clipping: Dynamic = 0.01, eps: Dynamic = 0.001, unit: Literal['row', 'column', 'tensor'] = 'row') -> Stage: ...

agc: _Agc

class _Aggmo(Rule):
    """AggMo (Lucas, Sun, Zemel & Grosse 2019, arXiv 1804.00325, algorithm 1), with three velocities."""

    def __call__(self, beta2: Dynamic = 0.9, beta3: Dynamic = 0.99) -> Stage: ...

aggmo: _Aggmo

class _Aida(Rule):
    """Aida (Zhang, Niwa & Kleijn 2022, arXiv 2203.13273, as in the authors' code): smaller differences among the step sizes."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic = 1e-08, K: int = 2, xi: Dynamic = 1e-20) -> Stage: ...

aida: _Aida

class _Alig(Rule):
    """ALI-G (Berrada, Zisserman & Kumar 2020, arXiv 1906.05661, algorithm 1): rates for models that can fit all data."""

    def __call__(self, mu: Dynamic = 0.9, eps: Dynamic = 1e-05) -> Stage: ...

alig: _Alig

class _Amos(Rule):
    """Amos (Tian & Parikh 2022, arXiv 2210.11693, as in the authors' code): adaptive decay towards model-oriented scale."""

    def __call__(self, scale: Dynamic = 1.0, beta: Dynamic = 0.999, zeta: Dynamic = 0.25) -> Stage: ...

amos: _Amos

class _Amsbound(Rule):
    """AMSBound (Luo, Xiong, Liu & Sun 2019, arXiv 1902.09843, algorithm 3): AdaBound on the largest v so far."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, final_lr: Dynamic = 0.1, gamma: float | None = None, base_lr: float | None = None, eps: Dynamic = 0.0, bound_eps: Dynamic = 0.0, sqrt_decay: bool = True, bias_correction: bool = False) -> Stage: ...

amsbound: _Amsbound

class _Amsgrad(Rule):
    """AMSGrad (Reddi, Kale & Kumar 2018, arXiv 1904.09237, algorithm 2), with 0/0 = 0."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(0.0)) -> Stage: ...

amsgrad: _Amsgrad

class _Ano(Rule):
    """Ano (Kegreisz 2025, arXiv 2508.18258, algorithm 1): the direction of an average, the size of the gradient."""

    def __call__(self, beta1: Dynamic = 0.92, beta2: Dynamic = 0.99, eps: Dynamic | Epsilon = outside(1e-08)) -> Stage: ...

ano: _Ano

class _Apollo(Rule):
    """Apollo (Ma 2020, arXiv 2009.13586, algorithm 1): a diagonal B that explains how the average gradient m changed."""

    def __call__(self, beta: Dynamic = 0.9, sigma: Dynamic = 1.0, eps: Dynamic = 0.0001) -> Stage: ...

apollo: _Apollo

class _ApolloAdamw(Rule):
    """APOLLO (Zhu et al. 2024, arXiv 2412.05270, algorithm 1): gradient descent at rates that Adam would give a sketch of it."""

    def __call__(self, rank: int = 256, T: int = 200, scale: Dynamic = 1.0, per: Literal['channel', 'tensor'] = 'channel', beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-06), limit: Dynamic = 1.01) -> Stage: ...

apollo_adamw: _ApolloAdamw

class _AsLongAsP(Rule):
    """Adalite's first stage (VatsaDev 2024, github.com/VatsaDev/adalite): the gradient at its parameter's norm."""

    def __call__(self) -> Stage: ...

as_long_as_p: _AsLongAsP

class _Asam(Rule):
    """ASAM, adaptive sharpness-aware minimization (Kwon, Kim, Park & Choi 2021, arXiv 2102.11600, algorithm 1)."""

    def __call__(self, rho: Dynamic = 0.5, eta: Dynamic = 0.01) -> Stage: ...

asam: _Asam

class _Ascend(Rule):
    """Gradient ascent (the sign of Cauchy 1847, C. R. 25:536): the stages that follow then maximize."""

    def __call__(self) -> Stage: ...

ascend: _Ascend

class _Asgd(Rule):
    """ASGD, averaged SGD (Polyak & Juditsky 1992, SIAM J. Control Optim. 30:838; the rate: Bottou 2010, COMPSTAT)."""

    def __call__(self, lam: Dynamic = 0.0001, alpha: Dynamic = 0.75, t0: Dynamic = 0.0) -> Stage: ...

asgd: _Asgd

class _Avagrad(Rule):
    """AvaGrad (Savarese, McAllester, Babu & Maire 2021, CVPR, arXiv 1912.01823, algorithm 2)."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic = 0.1) -> Stage: ...

avagrad: _Avagrad

class _Average(Rule):
    """An exponential moving average of the parameters, to ship (Polyak & Juditsky 1992, SIAM J. Control Optim. 30:838)."""

    def __call__(self, beta: Dynamic = 0.999, start: Literal['p0', 'first', 'corrected'] = 'p0') -> Stage: ...

average: _Average

class _BallMinimizer(Rule):
    """The point of a ball that minimizes <g, x>, negative (Pethick et al. 2025, arXiv 2502.07529, section 3)."""

    def __call__(self, norm: Literal['spectral', 'entry', 'rms'] = 'spectral', radius: Dynamic = 50.0, ns_steps: int = 5) -> Stage: ...

ball_minimizer: _BallMinimizer

class _Bcos(Rule):
    """BCOS (Jiang & Xiao 2025, arXiv 2507.08963, with momentum and its conditional estimator): one memory in place of two."""

    def __call__(self, beta: Dynamic = 0.9, eps: Dynamic | Epsilon = outside(1e-06)) -> Stage: ...

bcos: _Bcos

class _Came(Rule):
    """CAME (Luo, Ren, Zheng, Jiang, Jiang & You 2023, arXiv 2307.02047, algorithm 2): confidence in a memory-efficient Adam."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, beta3: Dynamic = 0.9999, eps1: Dynamic = 1e-30, eps2: Dynamic = 1e-16, d: Dynamic = 1.0, weight_decay: Dynamic = 0.0) -> Stage: ...

came: _Came

class _CameMatrix(Rule):
    """CAME's step of a matrix (Luo, Ren, Zheng, Jiang, Jiang & You 2023, arXiv 2307.02047, algorithm 2)."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, beta3: Dynamic = 0.9999, eps1: Dynamic = 1e-30, eps2: Dynamic = 1e-16, d: Dynamic = 1.0) -> Stage: ...

came_matrix: _CameMatrix

class _CameVector(Rule):
    """CAME's step of a vector (Luo, Ren, Zheng, Jiang, Jiang & You 2023, arXiv 2307.02047, the authors' code)."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps1: Dynamic = 1e-30, d: Dynamic = 1.0) -> Stage: ...

came_vector: _CameVector

class _Cautious(Rule):
    """Cautious (Liang, Chen, Liu & Liu 2024, arXiv 2411.16085, algorithm 1): only where direction and gradient have one sign."""

    def __call__(self, eps: Dynamic | Epsilon = at_least(0.001)) -> Stage: ...

cautious: _Cautious

class _Centralize(Rule):
    """Gradient centralization (Yong, Huang, Hua & Zhang 2020, arXiv 2004.01461, equation 1): each row without its mean."""

    def __call__(self) -> Stage: ...

centralize: _Centralize

class _Clip(Rule):
    """Clipping by the global norm (Pascanu, Mikolov & Bengio 2013, arXiv 1211.5063, algorithm 1)."""

    def __call__(self, max_norm: Dynamic = 1.0) -> Stage: ...

clip: _Clip

class _ClipEach(Rule):
    """Clipping by each tensor's own norm (Pascanu, Mikolov & Bengio 2013, arXiv 1211.5063, algorithm 1, a tensor at a time)."""

    def __call__(self, max_norm: Dynamic = 1.0) -> Stage: ...

clip_each: _ClipEach

class _Cocob(Rule):
    """COCOB (Orabona & Tommasi 2017, arXiv 1705.07795, algorithm 2, for backpropagation): coin betting, without a rate."""

    def __call__(self, alpha: Dynamic = 100.0, eps: Dynamic = 0.0) -> Stage: ...

cocob: _Cocob

class _Conda(Rule):
    """Conda (Wang, Zhou, Dong, Li, Li, Zhou, Lao, Fang & Lin 2025, arXiv 2509.24218, algorithm 1): column-normalized Adam."""

    def __call__(self, T: int = 2000, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08)) -> Stage: ...

conda: _Conda

class _CorrectedDecay(Rule):
    """Corrected weight decay (Defazio 2025, arXiv 2506.02285, algorithm 1): multiplied by lr^2 / max_lr."""

    def __call__(self, weight_decay: Dynamic = 0.05, max_lr: Dynamic = 0.001) -> Stage: ...

corrected_decay: _CorrectedDecay

class _DadaptAdagrad(Rule):
    """DAdapt-AdaGrad (Defazio & Mishchenko 2023, arXiv 2301.07733, AdaGrad with D-Adaptation, as in the authors' code)."""

    def __call__(self, d0: Dynamic = 1e-06, eps: Dynamic = 0.0) -> Stage: ...

dadapt_adagrad: _DadaptAdagrad

class _DadaptAdam(Rule):
    """DAdapt-Adam (Defazio & Mishchenko 2023, arXiv 2301.07733, Adam with D-Adaptation): Adam at a rate that it finds by itself."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic = 1e-08, d0: Dynamic = 1e-06, weight_decay: Dynamic = 0.0, bias_correction: bool = False, metric: Literal['new', 'old'] = 'new') -> Stage: ...

dadapt_adam: _DadaptAdam

class _DadaptAdan(Rule):
    """DAdapt-Adan (Defazio & Mishchenko 2023, arXiv 2301.07733, in the authors' code alone): Adan at a rate that it finds itself."""

    def __call__(self, beta1: Dynamic = 0.98, beta2: Dynamic = 0.92, beta3: Dynamic = 0.99, eps: Dynamic = 1e-08, d0: Dynamic = 1e-06, weight_decay: Dynamic = 0.0) -> Stage: ...

dadapt_adan: _DadaptAdan

class _DadaptLion(Rule):
    """DAdapt-Lion (Defazio & Mishchenko 2023, arXiv 2301.07733, in the authors' code alone): Lion at a rate that it finds itself."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.99, d0: Dynamic = 1e-06, weight_decay: Dynamic = 0.0) -> Stage: ...

dadapt_lion: _DadaptLion

class _DadaptSgd(Rule):
    """DAdapt-SGD (Defazio & Mishchenko 2023, arXiv 2301.07733, SGD with D-Adaptation): momentum at a rate it finds by itself."""

    def __call__(self, beta: Dynamic = 0.9, d0: Dynamic = 1e-06) -> Stage: ...

dadapt_sgd: _DadaptSgd

class _Decay(Rule):
    """Weight decay (coupled: L2, Krogh & Hertz 1991; decoupled: Loshchilov & Hutter 2019, arXiv 1711.05101)."""

    def __call__(self, weight_decay: Dynamic = 0.01) -> Stage: ...

decay: _Decay

class _Diffgrad(Rule):
    """diffGrad (Dubey, Chakraborty, Roy, Mukherjee, Singh & Chaudhuri 2020, arXiv 1909.11015, equations 5-7)."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08)) -> Stage: ...

diffgrad: _Diffgrad

class _Dion(Rule):
    """Dion (Ahn, Xu, Abreu, Fan, Magakyan, Sharma, Zhan & Langford 2025, arXiv 2504.05295, algorithm 1)."""

    def __call__(self, mu: Dynamic = 0.95, rank: int = 768, eps: Dynamic = 1e-08) -> Stage: ...

dion: _Dion

class _Dog(Rule):
    """DoG (Ivgi, Hinder & Carmon 2023, arXiv 2302.12022, equation DoG, made safe by eps): distance over gradients."""

    def __call__(self, r_eps: Dynamic = 1e-06, eps: Dynamic = 1e-08, relative: bool = True) -> Stage: ...

dog: _Dog

class _Dowg(Rule):
    """DoWG (Khaled, Mishchenko & Jin 2023, arXiv 2305.16284, algorithm 1): distance over weighted gradients."""

    def __call__(self, r_eps: Dynamic = 0.01, eps: Dynamic = 0.0) -> Stage: ...

dowg: _Dowg

class _Eve(Rule):
    """Eve (Hayashi, Koushik & Neubig 2016-2018, arXiv 1611.01505 v3, algorithm 1; its first form is version="v1")."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, beta3: Dynamic = 0.999, c: Dynamic = 10.0, fstar: Dynamic = 0.0, eps: Dynamic = 1e-08, version: Literal['v3', 'v1'] = 'v3', k: Dynamic = 0.1, K: Dynamic = 10.0) -> Stage: ...

eve: _Eve

class _Exadam(Rule):
    """EXAdam (Adly 2024, arXiv 2412.20302, algorithm 1): Adam with adaptive cross-moments."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic = 1e-08) -> Stage: ...

exadam: _Exadam

class _Fadam(Rule):
    """FAdam (Hwang 2024, arXiv 2405.12807, algorithm 1, with the exponent 1/2): natural gradients, clipped and then averaged."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic = 1e-08, eps2: Dynamic = 0.01, c: Dynamic = 1.0, weight_decay: Dynamic = 0.1) -> Stage: ...

fadam: _Fadam

class _FadingRate(Rule):
    """Apply the learning rate here, fading: lr / (1 + lam lr (t - 1))^alpha (Bottou 2010, COMPSTAT)."""

    def __call__(self, lam: Dynamic = 0.0001, alpha: Dynamic = 0.75) -> Stage: ...

fading_rate: _FadingRate

class _Fira(Rule):
    """Fira (Chen, Feng, Li, Lai, Yue, Yuan & Wang 2024, arXiv 2410.01623, algorithm 1): full-rank steps at the memory of GaLore."""

    def __call__(self, rank: int = 128, T: int = 200, scale: Dynamic = 1.0, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-06), limit: Dynamic = 1.01) -> Stage: ...

fira: _Fira

class _Focus(Rule):
    """FOCUS (Liu, Liu & Gore 2025, arXiv 2501.12243, algorithm 1): Signum that is drawn towards the average of its points."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, gamma: Dynamic = 0.1, weight_decay: Dynamic = 0.0) -> Stage: ...

focus: _Focus

class _Fromage(Rule):
    """Fromage (Bernstein, Vahdat, Yue & Liu 2020, arXiv 2002.03432, algorithm 1): steps a share lr of each layer's norm."""

    def __call__(self, min_norm: Dynamic = 0.0) -> Stage: ...

fromage: _Fromage

class _Ftrl(Rule):
    """FTRL (McMahan et al. 2013, KDD, "Ad click prediction: a view from the trenches", algorithm 1): FTRL-Proximal."""

    def __call__(self, beta: Dynamic = 1.0, l1: Dynamic = 0.0, l2: Dynamic = 0.0) -> Stage: ...

ftrl: _Ftrl

class _Galore(Rule):
    """GaLore (Zhao et al. 2024, arXiv 2403.03507, algorithm 2): Adam on a matrix's gradient as seen in `rank` directions."""

    def __call__(self, rank: int = 128, T: int = 200, scale: Dynamic = 0.25, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08)) -> Stage: ...

galore: _Galore

class _GradientCorrection(Rule):
    """MARS' scaled gradient correction (Yuan, Liu, Wu, Zhou & Gu 2024, arXiv 2411.10438, equation 2.3, the approximate form)."""

    def __call__(self, gamma: Dynamic = 0.025, beta: Dynamic = 0.95) -> Stage: ...

gradient_correction: _GradientCorrection

class _GradientSign(Rule):
    """The direction's size with the gradient's sign (Cao, Li, Liang, Sha, Shi, Song, Xia & Zhou 2024, arXiv 2412.17107)."""

    def __call__(self) -> Stage: ...

gradient_sign: _GradientSign

class _Grams(Rule):
    """Grams (Cao, Li, Liang, Sha, Shi, Song, Xia & Zhou 2024, arXiv 2412.17107, algorithm 1)."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-06), weight_decay: Dynamic = 0.0) -> Stage: ...

grams: _Grams

class _Grokfast(Rule):
    """Grokfast-EMA (Lee, Kang, Kim & Lee 2024, arXiv 2405.20233, algorithm 3): slow components of the gradients, amplified."""

    def __call__(self, alpha: Dynamic = 0.98, lamb: Dynamic = 2.0) -> Stage: ...

grokfast: _Grokfast

class _Gsam(Rule):
    """GSAM, surrogate gap guided sharpness-aware minimization (Zhuang et al. 2022, arXiv 2203.08065, algorithm 1)."""

    def __call__(self, rho: Dynamic = 0.05, alpha: Dynamic = 0.4) -> Stage: ...

gsam: _Gsam

class _IndependentDecay(Rule):
    """Weight decay that no learning rate multiplies (Wortsman et al. 2023, arXiv 2309.14322, independent weight decay)."""

    def __call__(self, weight_decay: Dynamic = 0.0001) -> Stage: ...

independent_decay: _IndependentDecay

class _InitialSnr(Rule):
    """SGD-SaI's factor (Xu, Xiang, Cai & Wen 2024, arXiv 2412.11768): a tensor's first signal-to-noise ratio, for good."""

    def __call__(self, eps: Dynamic | Epsilon = outside(1e-08)) -> Stage: ...

initial_snr: _InitialSnr

class _Kate(Rule):
    """KATE (Choudhury, Tupitsa, Loizou, Horvath, Takac & Gorbunov 2024, arXiv 2403.02648, algorithm 1), with 0/0 = 0 if eps = 0."""

    def __call__(self, eta: Dynamic = 0.9, eps: Dynamic = 1e-08) -> Stage: ...

kate: _Kate

class _Lamb(Rule):
    """LAMB (You, Li, Reddi et al. 2019, arXiv 1904.00962, algorithm 2): AdamW whose step is as long as the layer."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-06), weight_decay: Dynamic = 0.01, low: Dynamic = 0.0, high: Dynamic = ...) -> Stage: ...

lamb: _Lamb

class _Laprop(Rule):
    """LaProp (Ziyin, Wang & Ueda 2020, arXiv 2002.04839, algorithm 1)."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-15)) -> Stage: ...

laprop: _Laprop

class _Lars(Rule):
    """LARS (You, Gitman & Ginsburg 2017, arXiv 1708.03888, algorithm 1): momentum at a rate for each layer."""

    def __call__(self, mu: Dynamic = 0.9, weight_decay: Dynamic = 0.0005, coefficient: Dynamic = 0.001) -> Stage: ...

lars: _Lars

class _LayerNormalized(Rule):
    """NovoGrad's normalized gradient (Ginsburg et al. 2019, arXiv 1905.11286, algorithm 1): over a running norm of it."""

    def __call__(self, beta2: Dynamic = 0.98, eps: Dynamic | Epsilon = outside(1e-08)) -> Stage: ...

layer_normalized: _LayerNormalized

class _Lbfgs(Rule):
    """L-BFGS (Nocedal 1980, Math. Comp. 35:773; Liu & Nocedal 1989, Math. Programming 45:503, algorithm 2.1)."""

    def __call__(self, history_size: int = 10, line_search: Literal['strong_wolfe', 'none'] = 'strong_wolfe', c1: Dynamic = 0.0001, c2: Dynamic = 0.9, evaluations: int = 25, min_curvature: Dynamic = 1e-10, tolerance: Dynamic = 1e-09) -> Stage: ...

lbfgs: _Lbfgs

class _Ldog(Rule):
    """L-DoG (Ivgi, Hinder & Carmon 2023, arXiv 2302.12022, L-DoG): DoG for each tensor by itself."""

    def __call__(self, r_eps: Dynamic = 1e-06, eps: Dynamic = 1e-08, relative: bool = True) -> Stage: ...

ldog: _Ldog

class _Learned(Rule):
    """The learned optimizer (Andrychowicz et al. 2016, arXiv 1606.04474, section 2 and appendix A)."""

    def __call__(self, weights: str = 'quadratics') -> Stage: ...

learned: _Learned

class _LearningRate(Rule):
    """Apply the learning rate here, not at the end: `chain(learning_rate(), momentum())` keeps it inside the buffer."""

    def __call__(self) -> Stage: ...

learning_rate: _LearningRate

class _Lion(Rule):
    """Lion (Chen et al. 2023, arXiv 2302.06675, algorithm 2, without its weight decay)."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.99) -> Stage: ...

lion: _Lion

class _LocalRate(Rule):
    """LARS' local rate (You, Gitman & Ginsburg 2017, arXiv 1708.03888, equation 6), times gradient and L2 penalty."""

    def __call__(self, weight_decay: Dynamic = 0.0005, coefficient: Dynamic = 0.001) -> Stage: ...

local_rate: _LocalRate

class _LookAhead(Rule):
    """Nesterov's method as published: the gradient at w - lr mu v (Sutskever et al. 2013, ICML, equations 3 and 4)."""

    def __call__(self, mu: Dynamic = 0.9) -> Stage: ...

look_ahead: _LookAhead

class _Lookahead(Rule):
    """Lookahead (Zhang, Lucas, Hinton & Ba 2019, arXiv 1907.08610, algorithm 1): k steps forward, one back."""

    def __call__(self, k: int = 5, alpha: Dynamic = 0.5) -> Stage: ...

lookahead: _Lookahead

class _Looksam(Rule):
    """LookSAM (Liu, Mai, Chen, Hsieh & You 2022, arXiv 2203.02714, algorithm 1): one gradient in most steps."""

    def __call__(self, rho: Dynamic = 0.1, k: int = 10, alpha: Dynamic = 0.7) -> Stage: ...

looksam: _Looksam

class _Madgrad(Rule):
    """MADGRAD (Defazio & Jelassi 2021, arXiv 2101.11075, algorithm 1): momentum on dual averaging in a cube root's scale."""

    def __call__(self, mu: Dynamic = 0.9, eps: Dynamic = 1e-06) -> Stage: ...

madgrad: _Madgrad

class _Mars(Rule):
    """MARS (Yuan, Liu, Wu, Zhou & Gu 2024, arXiv 2411.10438, algorithm 2, MARS-AdamW): AdamW of variance-reduced gradients."""

    def __call__(self, gamma: Dynamic = 0.025, beta1: Dynamic = 0.95, beta2: Dynamic = 0.99, eps: Dynamic | Epsilon = outside(1e-08), weight_decay: Dynamic = 0.01) -> Stage: ...

mars: _Mars

class _Mechanic(Rule):
    """Mechanic (Cutkosky, Defazio & Mehta 2023, arXiv 2306.00144, algorithm 1): tunes the rate of the rule in front of it."""

    def __call__(self, s_init: Dynamic = 1e-08, weight_decay: Dynamic = 0.01, eps: Dynamic = 1e-08, n: int = 6, form: Literal['paper', 'optax'] = 'paper') -> Stage: ...

mechanic: _Mechanic

class _MechanicAdam(Rule):
    """Mechanic on Adam (Cutkosky, Defazio & Mehta 2023, arXiv 2306.00144, algorithm 1): Adam at a rate that it finds by itself."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), s_init: Dynamic = 1e-08, weight_decay: Dynamic = 0.01) -> Stage: ...

mechanic_adam: _MechanicAdam

class _MirrorMadgrad(Rule):
    """Mirror MADGRAD (Defazio & Jelassi 2021, arXiv 2101.11075, in the authors' code alone): MADGRAD by mirror descent."""

    def __call__(self, mu: Dynamic = 0.9, eps: Dynamic = 0.0) -> Stage: ...

mirror_madgrad: _MirrorMadgrad

class _Momentum(Rule):
    """Momentum (Polyak 1964, USSR Comp. Math. Math. Phys. 4:1; Rumelhart, Hinton & Williams 1986, Nature 323:533)."""

    def __call__(self, mu: Dynamic = 0.9, dampening: Dynamic = 0.0) -> Stage: ...

momentum: _Momentum

class _Momo(Rule):
    """MoMo (Schaipp, Ohana, Eickenberg, Defazio & Gower 2023, arXiv 2305.07583, algorithm 1): momentum and a model's rate."""

    def __call__(self, beta: Dynamic = 0.9, fstar: Dynamic = 0.0, weight_decay: Dynamic = 0.0, estimate: bool = False) -> Stage: ...

momo: _Momo

class _MomoAdam(Rule):
    """MoMo-Adam (Schaipp, Ohana, Eickenberg, Defazio & Gower 2023, arXiv 2305.07583, algorithm 2): MoMo in Adam's metric."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), fstar: Dynamic = 0.0, weight_decay: Dynamic = 0.0, estimate: bool = False) -> Stage: ...

momo_adam: _MomoAdam

class _Msvag(Rule):
    """M-SVAG (Balles & Hennig 2018, ICML, arXiv 1705.07774, algorithm M-SVAG): momentum by its signal to noise."""

    def __call__(self, beta: Dynamic = 0.9) -> Stage: ...

msvag: _Msvag

class _Muon(Rule):
    """Muon (Jordan, Jin, Boza, You, Cesista, Newhouse & Bernstein 2024, kellerjordan.github.io/posts/muon)."""

    def __call__(self, mu: Dynamic = 0.95, nesterov: bool = True, momentum: Literal['ball', 'average', 'corrected'] = 'ball', ns_steps: int = 5, a: Dynamic = 3.4445, b: Dynamic = -4.775, c: Dynamic = 2.0315, eps: Dynamic | Epsilon = outside(1e-07), dtype: Literal['own', 'bfloat16'] = 'own', scale: Literal['original', 'transposed', 'match_rms_adamw', 'none'] = 'original', rms: Dynamic = 0.2, dual_norm: bool = False, preconditioning: Literal['frobenius', 'spectral', 'aol', 'schatten'] = 'frobenius', coefficients: tuple[tuple[float, float, float], ...] | None = None) -> Stage: ...

muon: _Muon

class _MuonWithAdamw(Rule):
    """Muon with AdamW (Jordan et al. 2024, kellerjordan.github.io/posts/muon; AdamW: Loshchilov & Hutter 2019, arXiv 1711.05101)."""

    def __call__(self, mu: Dynamic = 0.95, nesterov: bool = True, ns_steps: int = 5, dtype: Literal['own', 'bfloat16'] = 'own', scale: Literal['original', 'transposed', 'match_rms_adamw', 'none'] = 'original', weight_decay: Dynamic = 0.0, adamw_share: Dynamic = 0.015, beta1: Dynamic = 0.9, beta2: Dynamic = 0.95, eps: Dynamic | Epsilon = outside(1e-10)) -> Stage: ...

muon_with_adamw: _MuonWithAdamw

class _Nadam(Rule):
    """Nadam (Dozat 2016, ICLR workshop, "Incorporating Nesterov momentum into Adam", algorithm 2)."""

    def __call__(self, mu: Dynamic = 0.975, nu: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), psi: Dynamic = 0.004, schedule: bool = True, average: Literal['scheduled', 'constant'] = 'scheduled', nu_factor: bool = True) -> Stage: ...

nadam: _Nadam

class _Nadamw(Rule):
    """NadamW (Dozat 2016, ICLR workshop, algorithm 2; decay: Loshchilov & Hutter 2019, arXiv 1711.05101)."""

    def __call__(self, mu: Dynamic = 0.975, nu: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), psi: Dynamic = 0.004, schedule: bool = True, average: Literal['scheduled', 'constant'] = 'scheduled', nu_factor: bool = True, weight_decay: Dynamic = 0.01) -> Stage: ...

nadamw: _Nadamw

class _Nero(Rule):
    """Nero (Liu, Bernstein, Meister & Yue 2021, arXiv 2102.07227, as in the authors' code): the neuronal rotator."""

    def __call__(self, beta: Dynamic = 0.999) -> Stage: ...

nero: _Nero

class _NeroMatrix(Rule):
    """Nero's step of a matrix (Liu, Bernstein, Meister & Yue 2021, arXiv 2102.07227, as in the authors' code)."""

    def __call__(self, beta: Dynamic = 0.999) -> Stage: ...

nero_matrix: _NeroMatrix

class _NeroVector(Rule):
    """Nero's step of a vector (Liu, Bernstein, Meister & Yue 2021, arXiv 2102.07227, as in the authors' code)."""

    def __call__(self, beta: Dynamic = 0.999) -> Stage: ...

nero_vector: _NeroVector

class _Nesterov(Rule):
    """Nesterov's accelerated gradient (Nesterov 1983; shifted form: Bengio et al. 2012, arXiv 1212.0901, equation 7)."""

    def __call__(self, mu: Dynamic = 0.9) -> Stage: ...

nesterov: _Nesterov

class _NoisySgd(Rule):
    """SGD with gradient noise (Neelakantan et al. 2015, arXiv 1511.06807, equation 1): normal draws that fade away."""

    def __call__(self, eta: Dynamic = 0.01, gamma: Dynamic = 0.55) -> Stage: ...

noisy_sgd: _NoisySgd

class _Normuon(Rule):
    """NorMuon (Li, Liu, Liang, Chen & Zhao 2025, arXiv 2510.05491, algorithm 1): Muon, with rows of equal size."""

    def __call__(self, beta1: Dynamic = 0.95, beta2: Dynamic = 0.95, ns_steps: int = 5, eps: Dynamic = 1e-08, rms: Dynamic = 0.2) -> Stage: ...

normuon: _Normuon

class _Novograd(Rule):
    """NovoGrad (Ginsburg et al. 2019, arXiv 1905.11286, algorithm 1): momentum of gradients over their layer's norm."""

    def __call__(self, beta1: Dynamic = 0.95, beta2: Dynamic = 0.98, eps: Dynamic | Epsilon = outside(1e-08), weight_decay: Dynamic = 0.0) -> Stage: ...

novograd: _Novograd

class _OptimisticAdam(Rule):
    """Optimistic Adam (Daskalakis, Ilyas, Syrgkanis & Zeng 2018, arXiv 1711.00141, algorithm 1): 2 Adam's step - the last."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), alpha: Dynamic = 1.0, beta: Dynamic = 1.0) -> Stage: ...

optimistic_adam: _OptimisticAdam

class _OptimisticGd(Rule):
    """Optimistic gradient descent (Daskalakis, Ilyas, Syrgkanis & Zeng 2018, arXiv 1711.00141, optimistic mirror descent)."""

    def __call__(self, alpha: Dynamic = 1.0, beta: Dynamic = 1.0) -> Stage: ...

optimistic_gd: _OptimisticGd

class _Orthograd(Rule):
    """OrthoGrad (Prieto, Barsbey, Mediano & Birdal 2025, arXiv 2501.04697, equation 8): the gradient orthogonal to its tensor."""

    def __call__(self, keep_norm: bool = False) -> Stage: ...

orthograd: _Orthograd

class _Padam(Rule):
    """Padam (Chen, Zhou, Tang, Yang, Cao & Gu 2020, IJCAI, arXiv 1806.06763, algorithm 1), with 0/0 = 0."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, p: Dynamic = 0.125) -> Stage: ...

padam: _Padam

class _Pid(Rule):
    """PID (An, Wang, Sun, Xu, Dai & Zhang 2018, CVPR, "A PID controller approach for stochastic optimization of deep networks")."""

    def __call__(self, mu: Dynamic = 0.9, kp: Dynamic = 1.0, ki: Dynamic = 5.0, kd: Dynamic = 10.0) -> Stage: ...

pid: _Pid

class _Pnm(Rule):
    """PNM (Xie, Yuan, Zhu & Sugiyama 2021, arXiv 2103.17182, algorithm 1): positive-negative momentum."""

    def __call__(self, beta0: Dynamic = 1.0, beta1: Dynamic = 0.9) -> Stage: ...

pnm: _Pnm

class _Polargrad(Rule):
    """PolarGrad (Lau, Long & Su 2025, arXiv 2505.21799, PolarGradM, momentum first): Muon with the size of its momentum."""

    def __call__(self, mu: Dynamic = 0.95, ns_steps: int = 12, weight_decay: Dynamic = 0.0) -> Stage: ...

polargrad: _Polargrad

class _PolyakAverage(Rule):
    """The mean of the points after step t0, to ship (Polyak & Juditsky 1992, SIAM J. Control Optim. 30:838)."""

    def __call__(self, t0: Dynamic = 0.0) -> Stage: ...

polyak_average: _PolyakAverage

class _PolyakSgd(Rule):
    """SGD with Polyak's step (Loizou, Vaswani, Laradji & Lacoste-Julien 2021, arXiv 2002.10542, SPS_max; Polyak 1987)."""

    def __call__(self, c: Dynamic = 0.5, fstar: Dynamic = 0.0, positive_part: bool = True, eps: Dynamic = 0.0) -> Stage: ...

polyak_sgd: _PolyakSgd

class _PolynomialAverage(Rule):
    """An average of the parameters with polynomial decay, to ship (Shamir & Zhang 2013, arXiv 1212.1824, section 3)."""

    def __call__(self, gamma: Dynamic = 8.0) -> Stage: ...

polynomial_average: _PolynomialAverage

class _Prodigy(Rule):
    """Prodigy (Mishchenko & Defazio 2023, arXiv 2306.06101, algorithm 4): Adam at a rate that it finds by itself."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic = 1e-08, d0: Dynamic = 1e-06, d_coef: Dynamic = 1.0, weight_decay: Dynamic = 0.0, bias_correction: bool = False, safeguard_warmup: bool = False, eps_by: Literal['d', 'next d'] = 'd', beta3: Dynamic = 0.0) -> Stage: ...

prodigy: _Prodigy

class _PsgdKron(Rule):
    """PSGD-Kron (Li 2024, arXiv 2402.11858, Kronecker factors; Walters' code, github.com/evanatyourservice/kron_torch)."""

    def __call__(self, beta: Dynamic = 0.9, fit_rate: Dynamic = 0.1, max_rms: Dynamic = 1.1) -> Stage: ...

psgd_kron: _PsgdKron

class _Qhadam(Rule):
    """QHAdam (Ma & Yarats 2019, arXiv 1810.06801, algorithm QHAdam)."""

    def __call__(self, nu1: Dynamic = 0.7, nu2: Dynamic = 1.0, beta1: Dynamic = 0.995, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08)) -> Stage: ...

qhadam: _Qhadam

class _Qhm(Rule):
    """QHM (Ma & Yarats 2019, arXiv 1810.06801, algorithm QHM): quasi-hyperbolic momentum."""

    def __call__(self, nu: Dynamic = 0.7, beta: Dynamic = 0.999) -> Stage: ...

qhm: _Qhm

class _Radam(Rule):
    """RAdam (Liu, Jiang, He, Chen, Liu, Gao & Han 2020, arXiv 1908.03265, algorithm 2), with 0/0 = 0."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(0.0), threshold: Dynamic = 4.0) -> Stage: ...

radam: _Radam

class _Ranger(Rule):
    """Ranger (Wright 2019, github.com/lessw2020/Ranger-Deep-Learning-Optimizer): RAdam with Lookahead."""

    def __call__(self, k: int = 6, alpha: Dynamic = 0.5, beta1: Dynamic = 0.95, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-05, raw=True), threshold: Dynamic = 5.0, weight_decay: Dynamic = 0.0) -> Stage: ...

ranger: _Ranger

class _Ranger21(Rule):
    """Ranger21 (Wright & Demeure 2021, arXiv 2106.13731): AdamW with eight additions, each of them a method of its own."""

    def __call__(self, k: int = 5, alpha: Dynamic = 0.5, beta0: Dynamic = 0.9, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), clipping: Dynamic = 0.01, weight_decay: Dynamic = 0.0001) -> Stage: ...

ranger21: _Ranger21

class _Rmsprop(Rule):
    """RMSprop (Tieleman & Hinton 2012, Coursera, Neural networks for machine learning, lecture 6.5)."""

    def __call__(self, rho: Dynamic = 0.9, eps: Dynamic | Epsilon = outside(1e-08), centred: bool = False, accumulate: Literal['arriving', 'raw'] = 'arriving') -> Stage: ...

rmsprop: _Rmsprop

class _RmspropGraves(Rule):
    """RMSprop as Graves has it (2013, arXiv 1308.0850, equations 38-45): centred, with momentum, eps inside the root."""

    def __call__(self, rho: Dynamic = 0.95, mu: Dynamic = 0.9, eps: Dynamic = 0.0001) -> Stage: ...

rmsprop_graves: _RmspropGraves

class _Rprop(Rule):
    """Rprop (Riedmiller & Braun 1993, ICNN; without weight-backtracking: Igel & Huesken 2000, iRprop-)."""

    def __call__(self, eta_minus: Dynamic = 0.5, eta_plus: Dynamic = 1.2, size_min: Dynamic = 1e-06, size_max: Dynamic = 50.0, backtracking: bool = False) -> Stage: ...

rprop: _Rprop

class _Sam(Rule):
    """SAM, sharpness-aware minimization (Foret et al. 2021, arXiv 2010.01412, algorithm 1)."""

    def __call__(self, rho: Dynamic = 0.05) -> Stage: ...

sam: _Sam

class _SantaE(Rule):
    """Santa-E (Chen, Carlson, Gan, Li & Carin 2016, arXiv 1512.07962, algorithm 1, the Euler scheme)."""

    def __call__(self, sigma: Dynamic = 0.95, lam: Dynamic = 1e-08, C: Dynamic = 5.0, burnin: int = 100, temperature: Dynamic = 1.0, power: Dynamic = 0.5, N: Dynamic = 1.0, gradient_scale: float | None = None, g0: Literal['first', 'zero'] = 'first', curvature: bool = True, guard: Dynamic = 0.1) -> Stage: ...

santa_e: _SantaE

class _SantaSss(Rule):
    """Santa-SSS (Chen, Carlson, Gan, Li & Carin 2016, arXiv 1512.07962, algorithm 2, the symmetric splitting scheme)."""

    def __call__(self, sigma: Dynamic = 0.95, lam: Dynamic = 1e-08, C: Dynamic = 5.0, burnin: int = 100, temperature: Dynamic = 1.0, power: Dynamic = 0.5, N: Dynamic = 1.0, gradient_scale: float | None = None, g0: Literal['first', 'zero'] = 'first', curvature: bool = True, guard: Dynamic = 0.1) -> Stage: ...

santa_sss: _SantaSss

class _Scaled(Rule):
    """A constant factor (SPlus' for vectors is 1e-3: Frans, Levine & Abbeel 2025, arXiv 2506.07254)."""

    def __call__(self, factor: Dynamic = 0.001) -> Stage: ...

scaled: _Scaled

class _ScheduleFree(Rule):
    """Schedule-Free learning (Defazio et al. 2024, arXiv 2405.15682, equations 2-4, weighted as in its algorithm 1)."""

    def __call__(self, beta: Dynamic = 0.9, power: Dynamic = 0.0) -> Stage: ...

schedule_free: _ScheduleFree

class _ScheduleFreeAdamw(Rule):
    """Schedule-Free AdamW (Defazio, Yang, Mehta, Mishchenko, Khaled & Cutkosky 2024, arXiv 2405.15682, algorithm 1)."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), weight_decay: Dynamic = 0.0, power: Dynamic = 2.0, correction: Literal['rate', 'moment'] = 'rate') -> Stage: ...

schedule_free_adamw: _ScheduleFreeAdamw

class _ScheduleFreeRadam(Rule):
    """Schedule-Free RAdam (Defazio et al. 2024, github.com/facebookresearch/schedule_free; their paper is arXiv 2405.15682)."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), weight_decay: Dynamic = 0.0, power: Dynamic = 2.0) -> Stage: ...

schedule_free_radam: _ScheduleFreeRadam

class _ScheduleFreeSgd(Rule):
    """Schedule-Free SGD (Defazio, Yang, Mehta, Mishchenko, Khaled & Cutkosky 2024, arXiv 2405.15682, equations 2-4)."""

    def __call__(self, beta: Dynamic = 0.9, power: Dynamic = 2.0, weight_decay: Dynamic = 0.0) -> Stage: ...

schedule_free_sgd: _ScheduleFreeSgd

class _ScheduleFreeWarmed(Rule):
    """Schedule-Free learning (Defazio et al. 2024, arXiv 2405.15682, algorithm 1) behind `warmed`, whose rate has the weights."""

    def __call__(self, beta: Dynamic = 0.9, beta2: Dynamic = 0.999, power: Dynamic = 2.0, by: Literal['corrected', 'rectified'] = 'corrected') -> Stage: ...

schedule_free_warmed: _ScheduleFreeWarmed

class _Scion(Rule):
    """Scion (Pethick, Xie, Antonakopoulos, Zhu, Silveti-Falls & Cevher 2025, arXiv 2502.07529, algorithm 2, SCG)."""

    def __call__(self, mu: Dynamic = 0.9, radius: Dynamic = 50.0, ns_steps: int = 5, constrained: bool = True) -> Stage: ...

scion: _Scion

class _Sgd(Rule):
    """SGD, gradient descent (Robbins & Monro 1951, Ann. Math. Stat. 22:400, stochastic; Cauchy 1847, C. R. 25:536)."""

    def __call__(self) -> Stage: ...

sgd: _Sgd

class _SgdSai(Rule):
    """SGD-SaI (Xu, Xiang, Cai & Wen 2024, arXiv 2412.11768, algorithm 1): learning rates scaled at initialization."""

    def __call__(self, mu: Dynamic = 0.9, eps: Dynamic | Epsilon = outside(1e-08), weight_decay: Dynamic = 0.01) -> Stage: ...

sgd_sai: _SgdSai

class _Sgdp(Rule):
    """SGDP (Heo, Chun, Oh, Han, Yun, Kim, Uh & Ha 2021, arXiv 2006.08217, algorithm 1): momentum without radial steps."""

    def __call__(self, mu: Dynamic = 0.9, delta: Dynamic = 0.1, weight_decay: Dynamic = 0.0, share: Dynamic = 0.1) -> Stage: ...

sgdp: _Sgdp

class _Sgdw(Rule):
    """SGDW (Loshchilov & Hutter 2019, arXiv 1711.05101, algorithm 1): momentum with decoupled weight decay."""

    def __call__(self, mu: Dynamic = 0.9, weight_decay: Dynamic = 0.01) -> Stage: ...

sgdw: _Sgdw

class _Shampoo(Rule):
    """Shampoo (Gupta, Koren & Singer 2018, arXiv 1802.09568, algorithm 1): full-matrix AdaGrad, factored into two sides."""

    def __call__(self, eps: Dynamic = 0.0001) -> Stage: ...

shampoo: _Shampoo

class _Signsgd(Rule):
    """signSGD (Bernstein, Wang, Azizzadenesheli & Anandkumar 2018, arXiv 1802.04434, algorithm 1)."""

    def __call__(self) -> Stage: ...

signsgd: _Signsgd

class _Signum(Rule):
    """Signum (Bernstein, Wang, Azizzadenesheli & Anandkumar 2018, arXiv 1802.04434, algorithm 2)."""

    def __call__(self, beta: Dynamic = 0.9) -> Stage: ...

signum: _Signum

class _SimplifiedAdemamix(Rule):
    """Simplified AdEMAMix (Morwani, Vyas, Zhang & Kakade 2025, arXiv 2502.02431): a slow sum, and the gradient as the fast one."""

    def __call__(self, beta1: Dynamic = 0.99, beta2: Dynamic = 0.95, alpha: Dynamic = 0.0, eps: Dynamic | Epsilon = outside(1e-08)) -> Stage: ...

simplified_ademamix: _SimplifiedAdemamix

class _Sm3(Rule):
    """SM3 (Anil, Gupta, Koren & Singer 2019, arXiv 1901.11150, algorithm SM3-II): AdaGrad in sublinear memory."""

    def __call__(self, version: Literal['II', 'I'] = 'II', eps: Dynamic | Epsilon = inside(0.0)) -> Stage: ...

sm3: _Sm3

class _Smorms3(Rule):
    """SMORMS3 (Funk 2015, "RMSprop loses to SMORMS3 - Beware the Epsilon!", sifter.org/~simon/journal/20150420.html)."""

    def __call__(self, eps: Dynamic = 1e-16) -> Stage: ...

smorms3: _Smorms3

class _Soap(Rule):
    """SOAP (Vyas, Morwani, Zhao, Shapira, Brandfonbrener, Janson & Kakade 2024, arXiv 2409.11321, algorithm 3)."""

    def __call__(self, f: int = 10, beta1: Dynamic = 0.95, beta2: Dynamic = 0.95, eps: Dynamic | Epsilon = outside(1e-08, raw=True)) -> Stage: ...

soap: _Soap

class _Sophia(Rule):
    """Sophia (Liu, Li, Hall, Liang & Ma 2023, arXiv 2305.14342, algorithm 3, without its weight decay)."""

    def __call__(self, beta1: Dynamic = 0.96, beta2: Dynamic = 0.99, gamma: Dynamic = 0.01, eps: Dynamic = 1e-12, k: int = 10) -> Stage: ...

sophia: _Sophia

class _Spam(Rule):
    """SPAM (Huang et al. 2025, arXiv 2501.06842, as in the authors' code, without sparse momentum): spike-aware Adam with resets."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-06, raw=True), every: int = 500, warm_up: int = 150, threshold: Dynamic = 5000.0, wait: int = 20) -> Stage: ...

spam: _Spam

class _SparseAdam(Rule):
    """Sparse Adam, or lazy: Adam (Kingma & Ba 2015, arXiv 1412.6980, algorithm 1) only where there is a gradient."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08)) -> Stage: ...

sparse_adam: _SparseAdam

class _Splus(Rule):
    """SPlus (Frans, Levine & Abbeel 2025, arXiv 2506.07254, algorithm 1): a stable whitening optimizer."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, T: int = 100, weight_decay: Dynamic = 0.01, beta: Dynamic = 0.999, factor: Dynamic = 0.001) -> Stage: ...

splus: _Splus

class _Srmm(Rule):
    """SRMM (Lyu 2022, arXiv 2201.01652, algorithm 1, with quadratic surrogates): averaged points, averaged gradients."""

    def __call__(self, beta: Dynamic = 0.5) -> Stage: ...

srmm: _Srmm

class _StableAdamw(Rule):
    """StableAdamW (Wortsman, Dettmers, Zettlemoyer, Morcos, Farhadi & Schmidt 2023, arXiv 2304.13013, algorithm 2)."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.99, eps: Dynamic = 1e-06, weight_decay: Dynamic = 0.01) -> Stage: ...

stable_adamw: _StableAdamw

class _Swa(Rule):
    """SWA, stochastic weight averaging (Izmailov, Podoprikhin, Garipov, Vetrov & Wilson 2018, arXiv 1803.05407, algorithm 1)."""

    def __call__(self, start: Dynamic = 0.0, every: int = 1) -> Stage: ...

swa: _Swa

class _Swan(Rule):
    """SWAN (Ma, Gong, Scetbon & Meeds 2024, arXiv 2412.13148, algorithm 1): SGD with whitening and normalization."""

    def __call__(self, iterations: int = 10, beta: Dynamic = 0.5, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-08), weight_decay: Dynamic = 0.0) -> Stage: ...

swan: _Swan

class _Swats(Rule):
    """SWATS (Keskar & Socher 2017, arXiv 1712.07628, algorithm 1): switches from Adam to SGD when their rates have settled."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(1e-09, raw=True), tolerance: Dynamic = 1e-09) -> Stage: ...

swats: _Swats

class _SymmetricScale(Rule):
    """SPlus' scale of a matrix's step (Frans, Levine & Abbeel 2025, arXiv 2506.07254, section 4.2): 2 / (rows + columns)."""

    def __call__(self) -> Stage: ...

symmetric_scale: _SymmetricScale

class _Tam(Rule):
    """TAM (Malviya et al. 2024, arXiv 2412.18790): torque-aware momentum, here of each tensor by itself."""

    def __call__(self, beta: Dynamic = 0.9, gamma: Dynamic = 0.9, eps: Dynamic = 1e-08) -> Stage: ...

tam: _Tam

class _Tangent(Rule):
    """AdamP's projection (Heo et al. 2021, arXiv 2006.08217, section 3): the direction without its radial part."""

    def __call__(self, delta: Dynamic = 0.1, weight_decay: Dynamic = 0.0, share: Dynamic = 0.1) -> Stage: ...

tangent: _Tangent

class _Tiger(Rule):
    """Tiger (Su 2023, github.com/bojone/tiger, basic form): Signum with decoupled weight decay, or Lion with equal betas."""

    def __call__(self, beta: Dynamic = 0.965, weight_decay: Dynamic = 0.01) -> Stage: ...

tiger: _Tiger

class _TrustRatio(Rule):
    """The trust ratio (You et al. 2019, arXiv 1904.00962, algorithm 2): each tensor's step made as long as the tensor."""

    def __call__(self, low: Dynamic = 0.0, high: Dynamic = ..., coefficient: Dynamic = 1.0, eps: Dynamic = 0.0) -> Stage: ...

trust_ratio: _TrustRatio

class _Vsgd(Rule):
    """VSGD (Chen, Kuzina, Esmaeili & Tomczak 2024, arXiv 2404.06549, algorithm 1): variational stochastic gradient descent."""

    def __call__(self, gamma: Dynamic = 1e-08, K: Dynamic = 30.0, kappa1: Dynamic = 0.81, kappa2: Dynamic = 0.9, delta: Dynamic = 0.0, eps: Dynamic = 0.0) -> Stage: ...

vsgd: _Vsgd

class _Warmed(Rule):
    """What arrives at a rate that begins small (Defazio et al. 2024, arXiv 2405.15682, algorithm 1): times sqrt(1 - beta2^t)."""

    def __call__(self, beta2: Dynamic = 0.999, by: Literal['corrected', 'rectified'] = 'corrected') -> Stage: ...

warmed: _Warmed

class _Whitened(Rule):
    """SWAN's direction (Ma, Gong, Scetbon & Meeds 2024, arXiv 2412.13148, algorithms 2 and 3), of the root mean square 1."""

    def __call__(self, iterations: int = 10, beta: Dynamic = 0.5) -> Stage: ...

whitened: _Whitened

class _WhitenedSign(Rule):
    """SPlus' direction (Frans, Levine & Abbeel 2025, arXiv 2506.07254, algorithm 1): Q_L sign(Q_L^T M Q_R) Q_R^T."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, T: int = 100) -> Stage: ...

whitened_sign: _WhitenedSign

class _Wsam(Rule):
    """WSAM, weighted sharpness-aware minimization (Yue, Jiang, Ye, Gao, Liu & Zhang 2023, arXiv 2305.15817, equation 6)."""

    def __call__(self, rho: Dynamic = 0.05, gamma: Dynamic = 0.9) -> Stage: ...

wsam: _Wsam

class _Yogi(Rule):
    """Yogi (Zaheer, Reddi, Sachan, Kale & Kumar 2018, NeurIPS, "Adaptive Methods for Nonconvex Optimization", algorithm 2)."""

    def __call__(self, beta1: Dynamic = 0.9, beta2: Dynamic = 0.999, eps: Dynamic | Epsilon = outside(0.001)) -> Stage: ...

yogi: _Yogi
