"""Learn XOR with RMSprop, and reproduce the numbers of the article "Deep Learning Library From Scratch 3: More optimisers".

python examples/xor.py
"""

import numpy as np

import thalweg as tw
from thalweg import nn

x = [[0, 1], [0, 0], [1, 1], [1, 0]]
y = [[0, 1], [1, 0], [1, 0], [0, 1]]

start = nn.Uniform(0, 1)  # for weights and biases alike, as in that library
net = nn.Model(
    [nn.Linear(8, start, start), nn.Linear(4, start, start), nn.Sigmoid(), nn.Linear(2, start, start), nn.Softmax()],
    loss=nn.MSE(gradient="batch_sum"),  # that library does not divide the gradient by the batch size; omit this in your own work
)
params = net.init((2,), seed=np.random.RandomState(0))
print(net.summary())

rule = tw.rmsprop(rho=0.9, eps=tw.inside(1e-10))
history = net.fit(x, y, rule, lr=0.02, epochs=200, batch_size=None, params=params)

for epoch in [1, *range(20, 201, 20)]:
    print(f"epoch {epoch:3}  loss {history.loss[epoch - 1]:.9e}")
print(net.predict(x).round(8))
