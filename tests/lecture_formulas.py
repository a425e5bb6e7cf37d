"""The formulas of the lecture, letter by letter, and what each of them says in the notation.

David McAllester, TTIC 31230, *Convolutional Neural Networks*, Winter 2020.
"""
# ruff: noqa: E501  (the formulas stand as they are)

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula, the notation it is read as, the codes of what is said while reading it.

    given  constants that the slide says in its prose     fails  the code of what the slide itself gets wrong, if anything
    """

    slide: str
    latex: str
    text: str
    said: tuple[str, ...] = ()
    given: Mapping[str, int] = field(default_factory=dict[str, int])
    fails: str = ""


@dataclass(frozen=True, slots=True)
class Other:
    """What is no equation: the code that says so, and why."""

    slide: str
    latex: str
    code: str
    reason: str


FORMULAS = (
    Formula(
        "A Convolution Layer",
        r"""$$L_{\ell+1}[b, x, y, j]$$

$$= \sigma \left( \left( \sum_{\Delta x, \Delta y, i} W[\Delta x, \Delta y, i, j] L_{\ell}[b, x + \Delta x, y + \Delta y, i] \right) - B[j] \right)$$""",
        "L_l_plus_1[b,x,y,j] = sigmoid(sum[Δx,Δy,i] W[Δx,Δy,i,j] * L_l[b,x+Δx,y+Δy,i] - B[j])",
    ),
    Formula(
        "Many “Neurons” (Linear Threshold Units)",
        r"$$\begin{aligned} & L_{\ell+1}[b, x, y, j] \\ &= \sigma \left( \left( \sum_{\Delta x, \Delta y, i} W[\Delta x, \Delta y, i, j] L_{\ell}[b, x + \Delta x, y + \Delta y, i] \right) - B[j] \right) \end{aligned}$$",
        "L_l_plus_1[b,x,y,j] = sigmoid(sum[Δx,Δy,i] W[Δx,Δy,i,j] * L_l[b,x+Δx,y+Δy,i] - B[j])",
    ),
    Formula(
        "Padding",
        r"$$L'_\ell = \text{Padd}(L_\ell, p)$$",
        "L'_l = Padd(L_l, p)",
    ),
    Formula(
        "Padding",
        r"""$$L_{\ell+1}[b, x, y, j] =$$

 
$$\sigma \left( \left( \sum_{\Delta x, \Delta y, i} W[\Delta x, \Delta y, i, j] L'_\ell[b, x + \Delta x, y + \Delta y, i] \right) - B[j] \right)$$""",
        "L_l_plus_1[b,x,y,j] = sigmoid(sum[Δx,Δy,i] W[Δx,Δy,i,j] * L'_l[b,x+Δx,y+Δy,i] - B[j])",
    ),
    Formula(
        "Reducing Spatial Dimensions: Max Pooling",
        r"$$L_{\ell+1}[b, x, y, i] = \max_{\Delta x, \Delta y} L_{\ell}[b, s * x + \Delta x, s * y + \Delta y, i]$$",
        "L_l_plus_1[b,x,y,i] = max[Δx,Δy] L_l[b, s*x+Δx, s*y+Δy, i]",
        given={"s": 2, "ΔX": 3, "ΔY": 3},
    ),
    Formula(
        "Reducing Spatial Dimensions: Strided Convolution",
        r"$$L_{\ell+1}[b, \textcolor{red}{x}, \textcolor{red}{y}, j] = \sigma \left( \left( \sum_{\Delta x, \Delta y, i} W[\Delta x, \Delta y, i, j] L_{\ell}[b, \textcolor{red}{s} * \textcolor{red}{x} + \Delta x, \textcolor{red}{s} * \textcolor{red}{y} + \Delta y, i] \right) - B[j] \right)$$",
        "L_l_plus_1[b,x,y,j] = sigmoid(sum[Δx,Δy,i] W[Δx,Δy,i,j] * L_l[b, s*x+Δx, s*y+Δy, i] - B[j])",
        given={"s": 2},
    ),
    Formula(
        "Fully Connected (FC) Layers",
        r"$$L_{\ell+1}[b, j] = \sigma \left( \left( \sum_{i'} W[j, i'] L_\ell[b, i'] \right) - B[j] \right)$$",
        "L_l_plus_1[b,j] = sigmoid(sum[i'] W[j,i'] * L_l[b,i'] - B[j])",
    ),
    Formula(
        "Image to Column (Im2C)",
        r"$$\begin{aligned} & \tilde{L}_{\ell+1}[b, x, y, j] \\ &= \left( \sum_{\Delta x, \Delta y, i} W[\Delta x, \Delta y, i, j] * L_{\ell}[b, x + \Delta x, y + \Delta y, i] \right) + B[j] \end{aligned}$$",
        "L̃_l_plus_1[b,x,y,j] = sum[Δx,Δy,i] W[Δx,Δy,i,j] * L_l[b,x+Δx,y+Δy,i] + B[j]",
    ),
    Formula(
        "Image to Column (Im2C)",
        r"$$\tilde{L}_{\ell}[b, x, y, \Delta x, \Delta y, i] = L_{\ell}[b, x + \Delta x, y + \Delta y, i]$$",
        "L̃_l[b,x,y,Δx,Δy,i] = L_l[b,x+Δx,y+Δy,i]",
        given={"ΔX": 3, "ΔY": 3},
    ),
    Formula(
        "Image to Column (Im2C)",
        r"""$$\tilde{L}_{\ell+1}[b, x, y, j]$$

$$= \left( \sum_{\Delta x, \Delta y, i} W[\Delta x, \Delta y, i, j] * L_{\ell}[b, x + \Delta x, y + \Delta y, i] \right) + B[j]$$

 
$$= \left( \sum_{\Delta x, \Delta y, i} \tilde{L}_{\ell}[b, x, y, \Delta x, \Delta y, i] * W[\Delta x, \Delta y, i, j] \right) + B[j]$$

$$= \left( \sum_{(\Delta x, \Delta y, i)} \tilde{L}_{\ell}[(b, x, y), (\Delta x, \Delta y, i)] * W[(\Delta x, \Delta y, i), j] \right) + B[j]$$""",
        "L̃_l_plus_1[b,x,y,j] = sum[Δx,Δy,i] W[Δx,Δy,i,j] * L_l[b,x+Δx,y+Δy,i] + B[j]",
        said=("W0103",),
    ),
    Formula(
        "Dilation",
        r"$$\tilde{L}_{\ell+1}[b, x, y, j] = W[\Delta x, \Delta y, i, j] L_{\ell}[b, x + d * \Delta x, y + d * \Delta y, i] + B[j]$$",
        "L̃_l_plus_1[b,x,y,j] = W[Δx,Δy,i,j] * L_l[b, x+d*Δx, y+d*Δy, i] + B[j]",
        fails="E0302",
    ),
    Formula(
        "Vector Concatenation",
        r"$$L[b, x, y, J_1 + J_2] = L_1[b, x, y, J_1] ; L(b, x, y, J_2]$$",
        "L[b, x, y, J_1+J_2] = L_1[b,x,y,J_1] ; L[b,x,y,J_2]",
        said=("W0102",),
        fails="E0203",
    ),
    Formula(
        "Alexnet",
        r"$$L_1[55 \times 55 \times 96] = \text{ReLU}(\text{CONV}(\text{Input}, \Phi_1, \text{width } 11, \text{pad } 0, \text{stride } 4))$$",
        "L_1[55,55,96] = ReLU(CONV(Input, Φ_1, width 11, pad 0, stride 4))",
    ),
    Formula(
        "Alexnet",
        r"$$L_2[27 \times 27 \times 96] = \text{MaxPool}(L_1, \text{width } 3, \text{stride } 2))$$",
        "L_2[27,27,96] = MaxPool(L_1, width 3, stride 2)",
        said=("W0102",),
    ),
    Formula(
        "Alexnet",
        r"$$L_3[27 \times 27 \times 256] = \text{ReLU}(\text{CONV}(L_2, \Phi_3, \text{width } 5, \text{pad } 2, \text{stride } 1))$$",
        "L_3[27,27,256] = ReLU(CONV(L_2, Φ_3, width 5, pad 2, stride 1))",
    ),
    Formula(
        "Alexnet",
        r"$$L_4[13 \times 13 \times 256] = \text{MaxPool}(L_3, \text{width } 3, \text{stride } 2))$$",
        "L_4[13,13,256] = MaxPool(L_3, width 3, stride 2)",
        said=("W0102",),
    ),
    Formula(
        "Alexnet",
        r"$$L_5[13 \times 13 \times 384] = \text{ReLU}(\text{CONV}(L_4, \Phi_5, \text{width } 3, \text{pad } 1, \text{stride } 1))$$",
        "L_5[13,13,384] = ReLU(CONV(L_4, Φ_5, width 3, pad 1, stride 1))",
    ),
    Formula(
        "Alexnet",
        r"$$L_6[13 \times 13 \times 384] = \text{ReLU}(\text{CONV}(L_5, \Phi_6, \text{width } 3, \text{pad } 1, \text{stride } 1))$$",
        "L_6[13,13,384] = ReLU(CONV(L_5, Φ_6, width 3, pad 1, stride 1))",
    ),
    Formula(
        "Alexnet",
        r"$$L_7[13 \times 13 \times 256] = \text{ReLU}(\text{CONV}(L_6, \Phi_7, \text{width } 3, \text{pad } 1, \text{stride } 1))$$",
        "L_7[13,13,256] = ReLU(CONV(L_6, Φ_7, width 3, pad 1, stride 1))",
    ),
    Formula(
        "Alexnet",
        r"$$L_8[6 \times 6 \times 256] = \text{MaxPool}(L_7, \text{width } 3, \text{stride } 2))$$",
        "L_8[6,6,256] = MaxPool(L_7, width 3, stride 2)",
        said=("W0102",),
    ),
    Formula(
        "Alexnet",
        r"$$L_9[4096] = \text{ReLU}(\text{FC}(L_8, \Phi_9))$$",
        "L_9[4096] = ReLU(FC(L_8, Φ_9))",
    ),
    Formula(
        "Alexnet",
        r"$$L_{10}[4096] = \text{ReLU}(\text{FC}(L_9, \Phi_{10}))$$",
        "L_10[4096] = ReLU(FC(L_9, Φ_10))",
    ),
    Formula(
        "Alexnet",
        r"$$s[1000] = \text{ReLU}(\text{FC}(L_{10}, \Phi_s)) \quad \text{class scores}$$",
        "s[1000] = ReLU(FC(L_10, Φ_s))",
    ),
    Formula(
        "Repeated Multiplication by Network Weights",
        r"$$L_{i+1} = \text{Relu}(\text{Conv}(\Phi_i, L_i))$$",
        "L_i_plus_1 = Relu(Conv(Φ_i, L_i))",
    ),
    Formula(
        "Activation Function Saturation",
        r"$$\text{Relu}(x) = \max(x, 0)$$",
        "def Relu(x) = max(x, 0)",
    ),
    Formula(
        "Xavier Initialization",
        r"$$y_j = \sum_{i=0}^{N-1} x_i w_{i,j}$$",
        "y[j] = sum[i] x[i] * w[i,j]",
    ),
    Formula(
        "Normalization",
        r"$$\hat{\mu}[j] = \frac{1}{B} \sum_b x[b, j]$$",
        "μ̂[j] = 1/B * sum[b] x[b,j]",
    ),
    Formula(
        "Normalization",
        r"$$\hat{\sigma}[j] = \sqrt{\frac{1}{B-1} \sum_b (x[b, j] - \hat{\mu}[j])^2}$$",
        "σ̂[j] = sqrt(1/(B - 1) * sum[b] (x[b,j] - μ̂[j])^2)",
    ),
    Formula(
        "Normalization",
        r"$$\tilde{x}[b, j] = \frac{x[b, j] - \hat{\mu}[j]}{\hat{\sigma}[j]}$$",
        "x̃[b,j] = (x[b,j] - μ̂[j]) / σ̂[j]",
    ),
    Formula(
        "Spatial Batch Normalization",
        r"$$\hat{\mu}[j] = \frac{1}{BXY} \sum_{b,x,y} x[b, x, y, j]$$",
        "μ̂[j] = 1/(B*X*Y) * sum[b,x,y] x[b,x,y,j]",
    ),
    Formula(
        "Spatial Batch Normalization",
        r"$$\hat{\sigma}[j] = \sqrt{\frac{1}{BXY - 1} \sum_{b,x,y} (x[b, x, y, j] - \hat{\mu}[j])^2}$$",
        "σ̂[j] = sqrt(1/(B*X*Y - 1) * sum[b,x,y] (x[b,x,y,j] - μ̂[j])^2)",
    ),
    Formula(
        "Spatial Batch Normalization",
        r"$$\tilde{x}[b, x, y, j] = \frac{x[b, x, y, j] - \hat{\mu}[j]}{\hat{\sigma}[j]}$$",
        "x̃[b,x,y,j] = (x[b,x,y,j] - μ̂[j]) / σ̂[j]",
    ),
    Formula(
        "Adding an Affine Transformation",
        r"$$\check{x}[b, x, y, j] = \gamma[j]\tilde{x}[b, x, y, j] + \beta[j]$$",
        "x̌[b,x,y,j] = γ[j] * x̃[b,x,y,j] + β[j]",
    ),
    Formula(
        "Simple Residual Skip Connections in CNNs (stride 1)",
        r"$$R_{\ell+1}[B, X, Y, J] = \text{Conv}(W_{\ell+1}[X, Y, J, J], B_{\ell+1}[J], L_{\ell}[B, X, Y, J])$$",
        "R_l_plus_1[B,X,Y,J] = Conv(W_l_plus_1[X,Y,J,J], B_l_plus_1[J], L_l[B,X,Y,J])",
    ),
    Formula(
        "Simple Residual Skip Connections in CNNs (stride 1)",
        r"$$L_{\ell+1}[b, x, y, j] = L_{\ell}[b, x, y, j] + R_{\ell+1}[b, x, y, j]$$",
        "L_l_plus_1[b,x,y,j] = L_l[b,x,y,j] + R_l_plus_1[b,x,y,j]",
    ),
    Formula(
        "Handling Spacial Reduction",
        r"$$X_{\ell+1} = X_{\ell}/s$$",
        "X_l_plus_1 = X_l/s",
    ),
    Formula(
        "Handling Spacial Reduction",
        r"$$Y_{\ell+1} = Y_{\ell}/s$$",
        "Y_l_plus_1 = Y_l/s",
    ),
    Formula(
        "Handling Spacial Reduction",
        r"$$\text{for } b, x, y, j \quad \tilde{L}_{\ell}[b, x, y, j] = \begin{cases} L_{\ell}[b, s * x, s * y, j] & \text{for } j < J_{\ell} \\ 0 & \text{otherwise} \end{cases}$$",
        """for b,x,y,j
L̃_l[b,x,y,j] = L_l[b,s*x,s*y,j] if j < J_l else 0""",
        given={"s": 2, "J_l": 3},
    ),
    Formula(
        "Handling Spacial Reduction",
        r"$$L_{\ell+1}[B, X_{\ell+1}, Y_{\ell+1}, J_{\ell+1}] = \tilde{L}_{\ell}[B, X_{\ell+1}, Y_{\ell+1}, J_{\ell+1}] \\ + R_{\ell+1}[B, X_{\ell+1}, Y_{\ell+1}, J_{\ell+1}]$$",
        "L_l_plus_1[B, X_l_plus_1, Y_l_plus_1, J_l_plus_1] = L̃_l[B, X_l_plus_1, Y_l_plus_1, J_l_plus_1] + R_l_plus_1[B, X_l_plus_1, Y_l_plus_1, J_l_plus_1]",
    ),
    Formula(
        "Deeper Versions use Bottleneck Residual Paths",
        r"$$U[B, X, Y, K] = \text{Conv}'(\Phi_{\ell+1}^A[1, 1, J, K], L_\ell[B, X, Y, J])$$",
        "U[B,X,Y,K] = Conv'(Φ_A_l_plus_1[1,1,J,K], L_l[B,X,Y,J])",
    ),
    Formula(
        "Deeper Versions use Bottleneck Residual Paths",
        r"$$V[B, X, Y, K] = \text{Conv}'(\Phi_{\ell+1}^B[3, 3, K, K], U[B, X, Y, K])$$",
        "V[B,X,Y,K] = Conv'(Φ_B_l_plus_1[3,3,K,K], U[B,X,Y,K])",
    ),
    Formula(
        "Deeper Versions use Bottleneck Residual Paths",
        r"$$R[B, X, Y, J] = \text{Conv}'(\Phi_{\ell+1}^R[1, 1, K, J], V[B, X, Y, K])$$",
        "R[B,X,Y,J] = Conv'(Φ_R_l_plus_1[1,1,K,J], V[B,X,Y,K])",
    ),
    Formula(
        "Deeper Versions use Bottleneck Residual Paths",
        r"$$L_{\ell+1} = L_\ell + R$$",
        "L_l_plus_1 = L_l + R",
    ),
    Formula(
        "A General Residual Connection",
        r"$$y = \tilde{x} + R(x)$$",
        "y = x̃ + R(x)",
    ),
    Formula(
        "DenseNet",
        r"$$\text{for } b, x, y \quad L_{\ell+1}[b, x, y, J_{\ell} + J_R] = L_{\ell}[b, x, y, J_{\ell}]; R[b, x, y, J_R]$$",
        """for b,x,y
L_l_plus_1[b, x, y, J_l+J_R] = L_l[b,x,y,J_l] ; R[b,x,y,J_R]""",
    ),
)

OTHERS = (
    Other("A Convolution Layer", r"$$W[\Delta x, \Delta y, i, j]$$", "W0101", "no `=`"),
    Other("A Convolution Layer", r"$$L_{\ell}[b, x, y, i]$$", "W0101", "no `=`"),
    Other("A Convolution Layer", r"$$L_{\ell+1}[b, x, y, j]$$", "W0101", "no `=`"),
    Other(
        "Hypercolumns",
        r"""$$L \left[ b, x, y, \sum_{\ell} J_{\ell} \right]$$

$$\begin{aligned}
 &= L_0 [b, x, y, J_0] \\
 &\quad \vdots \\
 &\quad ; L_{\ell} \left[ b, \lfloor x \left( \frac{X_{\ell}}{X_1} \right) \rfloor, \lfloor y \left( \frac{Y_{\ell}}{Y_0} \right) \rfloor, J_{\ell} \right] \\
 &\quad \vdots \\
 &\quad ; L_{\mathcal{L}-1} [b, J_{\mathcal{L}-1}]
 \end{aligned}$$""",
        "E0121",
        "dots",
    ),
    Other(
        "Grouping",
        r"$$L_{\ell+1}[b, x, y, J] = L_{\ell+1}^0[b, x, y, J/G]; \cdots ; L_{\ell+1}^{G-1}[b, x, y, J/G]$$",
        "E0121",
        "dots",
    ),
    Other("Grouping", r"$$W^g[b, x, y, I/G, J/G].$$", "W0101", "no `=`"),
    Other(
        "The Expressive Power of DNNs",
        r"$$P \wedge Q \approx \sigma(100 * P + 100 * Q - 150)$$",
        "W0101",
        "an approximation",
    ),
    Other(
        "The Expressive Power of DNNs",
        r"$$P \vee Q \approx \sigma(100 * P + 100 * Q - 50)$$",
        "W0101",
        "an approximation",
    ),
    Other(
        "The Expressive Power of DNNs", r"$$\neg P \approx \sigma(100 * (1 - P) - 50)$$", "W0101", "an approximation"
    ),
    Other("Handling Spacial Reduction", r"$$J_{\ell+1} \geq J_{\ell}$$", "W0101", "a condition"),
)
