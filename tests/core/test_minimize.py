"""Our optimizers as methods of scipy.optimize.minimize."""

from typing import Any

import numpy as np
import pytest
from scipy.optimize import OptimizeResult, OptimizeWarning, basinhopping, minimize, rosen, rosen_der

import thalweg as tw
from thalweg.form.hyper import NonNegative
from thalweg.ops import maximum

START = [-1.2, 1.0]
CURVES = np.array([1.0, 4.0, 9.0])
FLOOR = np.array([1.0, -2.0, 0.5])


def bowl(x: Any) -> Any:
    return 0.5 * np.sum(CURVES * (x - FLOOR) ** 2) - 3


def bowl_der(x: Any) -> Any:
    return CURVES * (x - FLOOR)


@tw.rule(lr=1.0)
def polyak(g: Any, loss: Any, *, f_star: NonNegative = 0.0) -> Any:
    """Polyak's step (1987, Introduction to optimization, section 5.3), for one parameter tensor."""
    return g * maximum(loss - f_star, 0.0) / maximum(tw.ops.total(g * g), 1e-30)


@pytest.mark.parametrize(
    ("rule", "lr"),
    [("sgd", 0.2), ("momentum", 0.02), ("nesterov", 0.02), ("adagrad", 1.0), ("adam", 0.1), ("adamax", 0.1), ("amsgrad", 1.0)],
)
def test_known_minimum(rule: str, lr: float) -> None:
    found = minimize(bowl, np.zeros(3), jac=bowl_der, method=tw.Optimizer(tw.rules[rule](), lr=lr), options={"maxiter": 5000})
    assert (found.success, found.status) == (True, 0)
    np.testing.assert_allclose(found.x, FLOOR, atol=1e-5)
    assert found.fun == pytest.approx(-3, abs=1e-9)
    assert np.abs(found.jac).max() <= 1e-5


@pytest.mark.parametrize(("rule", "lr"), [("momentum", 5e-4), ("nesterov", 5e-4), ("adam", 0.05)])
def test_rosenbrock_agrees_with_scipy(rule: str, lr: float) -> None:
    theirs = minimize(rosen, START, jac=rosen_der, method="BFGS")
    ours = minimize(rosen, START, jac=rosen_der, method=tw.Optimizer(tw.rules[rule](), lr=lr), options={"maxiter": 6000})
    assert ours.success
    assert set(ours) >= {"x", "fun", "jac", "nit", "nfev", "njev", "success", "status", "message"}
    np.testing.assert_allclose(ours.x, theirs.x, atol=5e-5)
    assert (ours.message, ours.status) == (theirs.message, theirs.status)


def test_walks_as_step_does() -> None:
    optimizer = tw.Optimizer(tw.adam(), lr=0.1)
    found = minimize(rosen, START, jac=rosen_der, method=optimizer, options={"maxiter": 50, "return_all": True})
    x, state = np.array(START), None
    state = optimizer.init(x)
    for k in range(51):
        np.testing.assert_array_equal(found.allvecs[k], x)
        x, state = optimizer.step(x, rosen_der(x), state)
    assert (found.nit, found.status, found.success) == (50, 1, False)


@pytest.mark.parametrize("jac", [None, "2-point", True])
def test_gradients_from_elsewhere(jac: Any) -> None:
    method = tw.Optimizer(tw.momentum(), lr=0.02)
    exact = minimize(bowl, np.zeros(3), jac=bowl_der, method=method)
    fun = (lambda x: (bowl(x), bowl_der(x))) if jac is True else bowl
    found = minimize(fun, np.zeros(3), jac=jac, method=method, options={"gtol": 1e-5})
    assert found.success
    np.testing.assert_allclose(found.x, exact.x, atol=1e-5)
    if jac is not True:
        assert found.nfev == 4 * found.njev  # the point and three beside it, none of them twice


def test_counts_are_true() -> None:
    calls = {"fun": 0, "jac": 0}

    def fun(x: Any) -> Any:
        calls["fun"] += 1
        return bowl(x)

    def jac(x: Any) -> Any:
        calls["jac"] += 1
        return bowl_der(x)

    found = minimize(fun, np.zeros(3), jac=jac, method=tw.Optimizer(tw.adam(), lr=0.1))
    assert (found.nfev, found.njev) == (calls["fun"], calls["jac"])
    assert found.njev == found.nit + 1  # nothing is computed twice


def test_arguments_reach_both_functions() -> None:
    def fun(x: Any, a: float, b: float) -> Any:
        return a * (x[0] - b) ** 2

    def jac(x: Any, a: float, b: float) -> Any:
        return 2 * a * (x - b)

    found = minimize(fun, [0], args=(2.0, 3.0), jac=jac, method=tw.Optimizer(tw.sgd(), lr=0.2))
    assert found.x == pytest.approx([3.0], abs=1e-5)


def test_the_functions_may_overwrite_what_they_get() -> None:
    def fun(x: Any) -> Any:
        value = bowl(x)
        x[:] = np.nan
        return value

    def jac(x: Any) -> Any:
        x *= -CURVES
        x += CURVES * FLOOR
        x *= -1
        return x

    found = minimize(fun, np.zeros(3), jac=jac, method=tw.Optimizer(tw.momentum(), lr=0.02))
    np.testing.assert_allclose(found.x, FLOOR, atol=1e-5)


def test_callbacks_of_both_forms_and_their_stop() -> None:
    seen: list[Any] = []

    def plain(xk: Any) -> None:
        seen.append(xk)

    def full(intermediate_result: OptimizeResult) -> None:
        assert intermediate_result.fun == bowl(intermediate_result.x)
        seen.append(intermediate_result.x)
        if len(seen) == 7:
            raise StopIteration

    method = tw.Optimizer(tw.adam(), lr=0.1)
    found = minimize(bowl, np.zeros(3), jac=bowl_der, method=method, callback=plain, options={"maxiter": 5})
    assert len(seen) == found.nit == 5
    np.testing.assert_array_equal(seen[-1], found.x)
    seen.clear()
    stopped = minimize(bowl, np.zeros(3), jac=bowl_der, method=method, callback=full)
    assert (stopped.nit, stopped.success, stopped.status) == (7, False, 99)
    assert stopped.message == "`callback` raised `StopIteration`."
    np.testing.assert_array_equal(seen[6], stopped.x)


def test_a_rule_that_asks_for_the_loss_gets_it() -> None:
    method = tw.Optimizer(polyak(f_star=0.0))
    found = minimize(lambda x: float(x @ x), [3.0, -4.0], jac=lambda x: 2 * x, method=method, options={"gtol": 1e-8})
    assert found.success
    np.testing.assert_allclose(found.x, 0, atol=1e-8)  # with f* known Polyak's step halves x each time
    assert found.nit == 30


def test_a_method_around_the_step_asks_for_gradients_itself() -> None:
    plain = minimize(bowl, np.zeros(3), jac=bowl_der, method=tw.Optimizer(tw.sgd(), lr=0.1), options={"maxiter": 20})
    around = minimize(
        bowl, np.zeros(3), jac=bowl_der, method=tw.Optimizer(tw.chain(tw.sam(rho=0.1), tw.sgd()), lr=0.1), options={"maxiter": 20}
    )
    assert around.njev > plain.njev
    assert np.abs(around.x - plain.x).max() > 1e-3
    assert around.fun < -2.5


def test_the_shipped_point_is_what_counts() -> None:
    method = tw.Optimizer(tw.chain(tw.sgd(), tw.schedule_free()), lr=0.2)
    found = minimize(bowl, np.zeros(3), jac=bowl_der, method=method, options={"maxiter": 3000, "gtol": 1e-3})
    assert found.success
    assert np.abs(bowl_der(found.x)).max() <= 1e-3


def test_tolerances() -> None:
    method = tw.Optimizer(tw.sgd(), lr=0.05)
    loose = minimize(bowl, np.zeros(3), jac=bowl_der, method=method, tol=1e-2)
    assert loose.success
    assert 1e-3 < np.abs(loose.jac).max() <= 1e-2
    by_value = minimize(bowl, np.zeros(3), jac=bowl_der, method=method, options={"ftol": 1e-3, "gtol": 0.0})
    assert by_value.success
    assert by_value.nit < loose.nit
    assert minimize(bowl, FLOOR, jac=bowl_der, method=method).nit == 0


def test_what_cannot_be_used_is_said() -> None:
    method = tw.Optimizer(tw.adam(), lr=0.1)
    few = {"maxiter": 1}
    with pytest.warns(RuntimeWarning, match="adam cannot handle bounds"):
        minimize(bowl, np.zeros(3), jac=bowl_der, method=method, bounds=[(0, 1)] * 3, options=few)
    with pytest.warns(RuntimeWarning, match="adam cannot handle constraints"):
        minimize(bowl, np.zeros(3), jac=bowl_der, method=method, constraints={"type": "eq", "fun": bowl}, options=few)
    with pytest.warns(RuntimeWarning, match="does not use Hessian information"):
        minimize(bowl, np.zeros(3), jac=bowl_der, method=method, hess=lambda x: np.diag(CURVES), options=few)
    with pytest.warns(OptimizeWarning, match="Unknown solver options: maxfun"):
        minimize(bowl, np.zeros(3), jac=bowl_der, method=method, options={**few, "maxfun": 3})


def test_errors_say_what_is_wrong() -> None:
    method = tw.Optimizer(tw.adam(), lr=0.1)
    with pytest.raises(ValueError, match="one number, not an array of shape"):
        minimize(lambda x: x, np.zeros(3), method=method)
    with pytest.raises(ValueError, match=r"gradient has shape \(2,\), the point \(3,\)"):
        minimize(bowl, np.zeros(3), jac=lambda x: np.zeros(2), method=method)
    with pytest.raises(ValueError, match="without lanes"):
        minimize(bowl, np.zeros(3), jac=bowl_der, method=tw.Optimizer(tw.adam(), lanes=3))
    with pytest.raises(ValueError, match="maxiter counts steps"):
        minimize(bowl, np.zeros(3), jac=bowl_der, method=method, options={"maxiter": -1})
    with pytest.raises(ValueError, match="x0 is a vector"):
        method(bowl, np.zeros((2, 2)))


def test_divergence_is_a_result() -> None:
    with np.errstate(over="ignore"):
        found = minimize(lambda x: x[0] ** 2, [1.0], jac=lambda x: 2 * x, method=tw.Optimizer(tw.sgd(), lr=1e200))
    assert (found.success, found.status) == (False, 3)
    assert found.message == "NaN result encountered."
    assert np.isfinite(found.x).all()


def test_float32_stays_float32() -> None:
    found = minimize(bowl, np.zeros(3, np.float32), method=tw.Optimizer(tw.momentum(), lr=0.02), options={"gtol": 1e-4})
    assert found.x.dtype == np.float32
    assert found.success
    np.testing.assert_allclose(found.x, FLOOR, atol=1e-4)


def test_inside_another_of_scipys_methods(capsys: pytest.CaptureFixture[str]) -> None:
    method = tw.Optimizer(tw.nesterov(), lr=0.02)
    found = basinhopping(bowl, np.zeros(3), niter=2, rng=0, minimizer_kwargs={"method": method, "jac": bowl_der})
    np.testing.assert_allclose(found.x, FLOOR, atol=1e-5)
    minimize(bowl, np.zeros(3), jac=bowl_der, method=method, options={"disp": True})
    assert "terminated successfully" in capsys.readouterr().out
