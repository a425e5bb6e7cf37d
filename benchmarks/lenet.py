"""A LeNet of LeCun, Bottou, Bengio and Haffner, 1998, with maxima for pools and relu, and the same in PyTorch."""

from typing import Any

import indexlang as il

TEXT = """
input Image[B,28,28,1]
input label[B] : int
param W1[5,5,1,6]
param W2[5,5,6,16]
param W3[5,5,16,120]
param W4[120,84]
param W5[84,10]
param B1[6]
param B2[16]
param B3[120]
param B4[84]
param B5[10]

C1[b,x:28,y:28,j] = relu(sum W1[dx,dy,i,j]*Image[b,x+dx-2,y+dy-2,i else 0] + B1[j])
P1[b,x,y,j] = max[dx:2,dy:2] C1[b,2*x+dx,2*y+dy,j]
C2[b,x,y,j] = relu(sum W2[dx,dy,i,j]*P1[b,x+dx,y+dy,i] + B2[j])
P2[b,x,y,j] = max[dx:2,dy:2] C2[b,2*x+dx,2*y+dy,j]
F1[b,j] = relu(sum W3[x,y,i,j]*P2[b,x,y,i] + B3[j])
F2[b,j] = relu(sum W4[i,j]*F1[b,i] + B4[j])
s[b,j] = sum W5[i,j]*F2[b,i] + B5[j]
loss = 1/B * sum[b] (logsumexp[k] s[b,k] - s[b,label[b]])
output loss
"""


def parameters(torch: Any, net: il.Program, layout: Any) -> dict[str, Any]:
    """The program's parameters, each as a module of PyTorch would hold it."""
    found = {}
    for name, array in net.params.items():
        p = torch.from_numpy(array.copy())
        if p.ndim == 4:
            p = p.permute(3, 2, 0, 1).contiguous(memory_format=layout)
        elif p.ndim == 2:
            p = p.T.contiguous()
        found[name] = p.requires_grad_()
    return found


def loss(torch: Any, p: dict[str, Any], x: Any, y: Any) -> Any:
    """Cross entropy of the scores."""
    functional = torch.nn.functional
    x = functional.max_pool2d(functional.conv2d(x, p["W1"], p["B1"], padding=2).relu(), 2)
    x = functional.max_pool2d(functional.conv2d(x, p["W2"], p["B2"]).relu(), 2)
    x = functional.conv2d(x, p["W3"], p["B3"]).relu().flatten(1)
    x = functional.linear(x, p["W4"], p["B4"]).relu()
    return functional.cross_entropy(functional.linear(x, p["W5"], p["B5"]), y)
