"""COCOB: each coordinate bets a share of its winnings on the sign of its next gradient."""

from thalweg.form.hyper import NonNegative, Positive
from thalweg.form.memory import like_p
from thalweg.ops import maximum, minimum, ratio
from thalweg.rule import rule


@rule(lr=1.0, search=(1e-3, 1e1))
def cocob(g, p, w1=like_p, L=0.0, G=0.0, reward=0.0, C=0.0, *, alpha: Positive = 100.0, eps: NonNegative = 0.0):
    """COCOB (Orabona & Tommasi 2017, arXiv 1705.07795, algorithm 2, for backpropagation): coin betting, without a rate.

    From sgd: each coordinate bets a share of what it has won so far, so that there is no rate at all.
    L is the largest absolute gradient so far, G the sum of the absolute gradients, and C (the paper's theta) the sum of the
    negative gradients. The bet, a share of L plus the reward so far, is the distance from the first point w1. The parameter
    moves a share lr of the way to that point, and a coordinate that has had no gradient stays. eps: the smallest L.
    Differs from the authors' code and optax: they have eps=1e-8; in optax the rate multiplies the gradient instead, and
    a rate of 0 moves everything back to w1.
    """
    L = maximum(maximum(L, eps), abs(g))
    G = G + abs(g)
    reward = reward - minimum((p - w1) * g, reward)
    C = C - g
    bet = ratio(C, L * maximum(G + L, alpha * L))
    return p - (w1 + bet * (L + reward)), w1, L, G, reward, C
