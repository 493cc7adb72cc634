"""What asks for more than a tensor's gradient: sums over the model, the loss, draws."""

from __future__ import annotations

from oracles import adasecant, adgd, cocob, dadapted, dog, eve, mechanic, momo, prodigy, santa, swats

import thalweg as tw
from papers.case import WD, Case, halving, shrinking_share

CASES = [
    *(Case(f"mechanic_adam {options}", lambda options=options: tw.mechanic_adam(**options), mechanic.mechanic_adam, options, lr, whole=True)
      for options, lr in (({"s_init": 1e-3}, None), ({"beta1": 0.8, "beta2": 0.9, "eps": 1e-3, "s_init": 1e-2, "weight_decay": 0.5}, halving))),
    *(Case(f"mechanic {options}", lambda options=options: tw.chain(tw.sgd(), tw.mechanic(s_init=1e-2, **options)), mechanic.mechanic_adam,
           {"s_init": 1e-2, "base": "sgd", **options}, 1.0, whole=True)
      for options in ({}, {"form": "optax"}, {"n": 1, "weight_decay": 0.0}, {"n": 3, "form": "optax"})),
    *(Case(f"{name} {options}", lambda name=name, options=options: tw.rules[name](**options), getattr(dog, name), options, lr, whole=name != "ldog")
      for name in ("dog", "ldog", "dowg")
      for options, lr in (({}, None), ({"r_eps": 0.1, "eps": 0.01}, 0.3), ({"r_eps": 1e-3, "eps": 0.0}, shrinking_share))),
    Case("dog distance", lambda: tw.dog(r_eps=0.3, relative=False), dog.dog, {"r_eps": 0.3, "relative": False}, whole=True),
    *(Case(f"cocob {options}", lambda options=options: tw.cocob(**options), cocob.cocob, options, lr)
      for options, lr in (({}, None), ({"alpha": 2.0}, shrinking_share), ({"eps": 1e-3}, 0.5))),
    *(Case(f"{name} {options}", lambda name=name, options=options: tw.rules[name](**options), getattr(prodigy, name), options, lr, whole=True)
      for name, several in {
          "prodigy": [{}, {"beta3": 0.9}, {"beta1": 0.8, "beta2": 0.9, "eps": 1e-2, "weight_decay": WD}, {"bias_correction": True, "safeguard_warmup": True},
                      {"eps_by": "next d", "eps": 1e-2, "d_coef": 3.0}],
          "dadapt_adam": [{}, {"beta1": 0.8, "beta2": 0.9, "eps": 1e-2, "weight_decay": WD}, {"bias_correction": True}, {"metric": "old"}],
          "dadapt_sgd": [{}, {"beta": 0.0}, {"beta": 0.5}],
      }.items()
      for options, lr in ((several[0], None), *(({"d0": 0.01, **options}, shrinking_share) for options in several))),
    *(Case(f"{name} {options}", lambda name=name, options=options: tw.rules[name](**options), getattr(dadapted, name), options, lr, whole=True)
      for name, several, fast in (
          ("dadapt_adagrad", {"eps": 1e-2}, 30.0),
          ("dadapt_adan", {"beta1": 0.8, "beta2": 0.5, "beta3": 0.9, "eps": 1e-2, "weight_decay": WD}, 5.0),
          ("dadapt_lion", {"beta1": 0.5, "beta2": 0.9, "weight_decay": WD}, 10.0),
      )
      for options, lr in (({}, fast), ({"d0": 0.01}, shrinking_share), ({"d0": 0.01, **several}, shrinking_share))),  # fast: d grows
    *(Case(f"{name} {options}", lambda name=name, options=options: tw.rules[name](**options), getattr(momo, name), options, lr, "loss", whole=True)
      for name in ("momo", "momo_adam")
      for options, lr in (({}, None), ({"fstar": -1.0, "weight_decay": WD}, shrinking_share), ({"estimate": True, "fstar": 0.05}, None),
                          ({"estimate": True, "fstar": -2.0, "weight_decay": WD}, shrinking_share))),
    Case("momo average", lambda: tw.momo(0.5), momo.momo, {"beta": 0.5}, 0.01, "loss", whole=True),
    Case("momo_adam betas", lambda: tw.momo_adam(0.5, 0.9, 0.1), momo.momo_adam, {"beta1": 0.5, "beta2": 0.9, "eps": 0.1}, None, "loss", whole=True),
    *(Case(f"adgd {options}", lambda options=options: tw.adgd(**options), adgd.adgd, options, lr, whole=True)
      for options, lr in (({}, 3.0), ({"first_rate": 1e-2}, lambda t: 3.0 + 0.1 * (t % 3)))),  # of draws without a trend a rate of 1 falls to nothing
    Case("eve", tw.eve, eve.eve, asks="loss"),
    Case("eve options", lambda: tw.eve(beta3=0.9, c=3.0, fstar=-1.0), eve.eve, {"beta3": 0.9, "c": 3.0, "fstar": -1.0}, asks="loss"),
    Case("eve v1", lambda: tw.eve(version="v1"), eve.eve_v1, asks="loss"),
    *(Case(f"{name} {options}", lambda name=name, options=options: tw.rules[name](**options), getattr(santa, name), options, asks="noise")
      for name in ("santa_e", "santa_sss")
      for options in ({}, {"burnin": 30}, {"g0": "zero"}, {"curvature": False}, {"guard": 1.0}, {"N": 50.0, "gradient_scale": 50.0})),
    Case("santa_e heat", lambda: tw.santa_e(power=1.0, temperature=0.5), santa.santa_e, {"beta": lambda t: t / 0.5}, asks="noise"),
    Case("adasecant 2014", lambda: tw.adasecant("2014"), adasecant.adasecant),
    Case("adasecant 2014 options", lambda: tw.adasecant("2014", use_adagrad=True, delta_clip=1.0, start_var_reduction=20), adasecant.adasecant,
         {"use_adagrad": True, "delta_clip": 1.0, "start_var_reduction": 19}),
    Case("adasecant 2017", tw.adasecant, adasecant.adasecant_j),
    *(Case(f"swats {options}", lambda options=options: tw.swats(**{**options, **({"eps": tw.outside(options["eps"], raw=True)} if "eps" in options else {})}),
           swats.swats, options, 0.01, whole=True)
      for options in ({}, {"tolerance": 1e-2}, {"beta1": 0.5, "beta2": 0.9, "eps": 1e-2, "tolerance": 0.1})),
]  # fmt: skip
