"""The main layers beside a few lines of numpy: what they mean, without another library."""

import numpy as np
import pytest

import indexlang as il

DRAW = np.random.default_rng(3)


def drawn(*extents: int) -> np.ndarray:
    return DRAW.normal(size=extents) - 0.5


def program(text: str, training: bool = False) -> il.Program:
    return il.compile(text, dtype="f64", training=training)


def windows(image: np.ndarray, width: int, stride: int) -> np.ndarray:
    """[x,y,dx,dy,i] of an image [X,Y,I]."""
    seen = np.lib.stride_tricks.sliding_window_view(image, (width, width), (0, 1))[::stride, ::stride]
    return seen.transpose(0, 1, 3, 4, 2)


def test_a_convolution_subtracts_its_bias() -> None:
    net = program("input L[6,5,2]\nC = Conv(L, width 3, features 4, pad 1, stride 2)")
    image, bias = drawn(6, 5, 2), drawn(4)
    net.params["C.B"] = bias
    padded = np.pad(image, ((1, 1), (1, 1), (0, 0)))
    wanted = np.einsum("xyuvi,uvij->xyj", windows(padded, 3, 2), net.params["C.W"]) - bias
    np.testing.assert_allclose(net(image), wanted, atol=1e-12)


def test_groups_are_separate_convolutions() -> None:
    net = program("input L[5,5,6]\nC = Conv(L, width 2, features 4, groups 2, bias 0)")
    image = drawn(5, 5, 6)
    seen = windows(image, 2, 1)
    parts = [np.einsum("xyuvi,uvij->xyj", seen[..., 3 * g : 3 * g + 3], net.params["C.W"][:, :, g]) for g in (0, 1)]
    np.testing.assert_allclose(net(image), np.concatenate(parts, -1), atol=1e-12)


def test_a_padded_max_is_never_the_padding() -> None:
    image = -1 - np.abs(drawn(4, 4, 2))
    padded = np.pad(image, ((1, 1), (1, 1), (0, 0)), constant_values=-np.inf)
    found = program("input L[4,4,2]\nM = MaxPool(L, width 3, stride 2, pad 1)")(image)
    np.testing.assert_array_equal(found, windows(padded, 3, 2).max((2, 3)))


def test_a_transposed_convolution_is_the_adjoint_of_a_convolution() -> None:
    """<C, Conv(L)> = <ConvTranspose(C), L>, for one set of weights."""
    forwards = program("input L[7,9,2]\nC = Conv(L, width 3, features 5, stride 2, pad 1, bias 0)")
    back = program("input C[4,5,5]\nL = ConvTranspose(C, width 3, features 2, stride 2, pad 1, bias 0)")
    image, signal = drawn(7, 9, 2), drawn(4, 5, 5)
    back.params["L.W"] = forwards.params["C.W"].swapaxes(2, 3)
    np.testing.assert_allclose((signal * forwards(image)).sum(), (back(signal) * image).sum(), atol=1e-12)


def test_a_fully_connected_layer_takes_the_last_axis_fastest() -> None:
    net = program("input L[B,3,2,4]\nF[B,5] = FC(L)")
    images, bias = drawn(2, 3, 2, 4), drawn(5)
    net.params["F.B"] = bias
    np.testing.assert_allclose(net(images), images.reshape(2, 24) @ net.params["F.W"].T - bias, atol=1e-12)


@pytest.mark.parametrize(("extents", "names"), [((7, 3), "B,3"), ((4, 5, 3), "B,5,3"), ((2, 4, 5, 3), "B,4,5,3")])
@pytest.mark.parametrize("ddof", [0, 1])
def test_batch_norm_in_training(extents: tuple[int, ...], names: str, ddof: int) -> None:
    """The lecture divides by B-1; the states always take the variance over n-1."""
    text = f"input L[{names}]\nN = BatchNorm(L, Φ, momentum 0.3, eps 0.01, ddof {ddof})"
    net = program(text, training=True)
    data = drawn(*extents)
    net.params["Φ.gamma"], net.params["Φ.beta"] = gamma, beta = drawn(3), drawn(3)
    rest = tuple(range(len(extents) - 1))
    mean, variance = data.mean(rest), data.var(rest, ddof=ddof)
    wanted = gamma * (data - mean) / np.sqrt(variance + 0.01) + beta
    np.testing.assert_allclose(net(data), wanted, atol=1e-12)
    np.testing.assert_allclose(net.state["Φ.mean"], 0.3 * mean, atol=1e-12)
    np.testing.assert_allclose(net.state["Φ.variance"], 0.7 + 0.3 * data.var(rest, ddof=1), atol=1e-12)


def test_batch_norm_outside_training_leaves_its_states_alone() -> None:
    net = program("input L[B,3]\nN = BatchNorm(L)")
    net.state["N.mean"], net.state["N.variance"] = mean, variance = drawn(3), np.array([1.0, 2.0, 3.0])
    data = drawn(5, 3)
    np.testing.assert_allclose(net(data), (data - mean) / np.sqrt(variance + 1e-5), atol=1e-12)
    np.testing.assert_array_equal(net.state["N.mean"], mean)


def test_dropout_in_training_keeps_the_mean() -> None:
    net = program("input L[B,50]\nD = Dropout(L, drop 0.25)", training=True)
    data = np.ones((40, 50))
    first, second = net(data), net(data)
    assert set(np.unique(first)) == {0.0, 1 / 0.75}
    assert abs((first == 0).mean() - 0.25) < 0.05
    assert (first != second).any()


def test_dropout_of_everything_is_zero() -> None:
    net = program("input L[4]\nD = Dropout(L, drop 1)", training=True)
    np.testing.assert_array_equal(net(np.ones(4)), np.zeros(4))


def test_softmax_and_its_losses() -> None:
    net = program("input s[B,K]\ninput l[B] : int\np = Softmax(s)\nloss = CrossEntropy(s, l)\noutput p, loss")
    scores, labels = 500 * drawn(4, 6), np.array([0, 5, 2, 2])
    shifted = scores - scores.max(1, keepdims=True)
    wanted = np.exp(shifted) / np.exp(shifted).sum(1, keepdims=True)
    found = net(scores, labels)
    np.testing.assert_allclose(found.p, wanted, atol=1e-12)
    logs = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    np.testing.assert_allclose(found.loss, -logs[np.arange(4), labels].mean(), atol=1e-9)


def test_mirror_repeats_the_edge() -> None:
    data = drawn(3, 4, 2)
    found = program("input L[3,4,2]\nP = Pad(L, 2, mirror 1)")(data)
    np.testing.assert_array_equal(found, np.pad(data, ((2, 2), (2, 2), (0, 0)), "symmetric"))


def test_attention_looks_back_only() -> None:
    """With `causal 1` a later element changes nothing before it."""
    net = program("input x[5,4]\ny = Attention(x, heads 2, causal 1)")
    data = drawn(5, 4)
    other = data.copy()
    other[3] += 1
    first, second = net(data), net(other)
    np.testing.assert_array_equal(first[:3], second[:3])
    assert (first[3:] != second[3:]).all()


def test_a_label_beyond_the_classes_is_told() -> None:
    net = program("input s[B,3]\ninput l[B] : int\nloss = CrossEntropy(s, l)")
    with pytest.raises(il.DataError) as told:
        net(drawn(2, 3), np.array([0, 3]))
    assert "E0607" in str(told.value)


def test_a_program_of_one_image_takes_a_batch() -> None:
    net = program("input L[6,5,2]\nA = MaxPool(relu(Conv(L, width 3, features 4)), width 2)\ns[3] = FC(A)")
    images = drawn(2, 6, 5, 2)
    np.testing.assert_allclose(net(images), [net(images[0]), net(images[1])], atol=1e-12)


def test_extents_that_are_named_at_first() -> None:
    """Rows, columns and the batch come with the arguments; every layer that slides takes them."""
    text = "input L[B,X,Y,3]\nA = Conv(L, width 3, features 4, pad 1, stride 2)\nN = BatchNorm(A)\n"
    text += "M = MaxPool(N, width 2, pad 1)\nU = Upsample(M, factor 2, bilinear 1)\nP = AdaptiveAvgPool(U, rows 3, columns 3)\n"
    text += (
        "T = ConvTranspose(P, width 2, stride 2, features 3)\nG = GroupNorm(T, groups 3)\nK = GlobalAvgPool(Padd(G, 1))"
    )
    net = program(text)
    for extents in ((2, 9, 7, 3), (1, 8, 8, 3), (0, 8, 8, 3)):
        data = drawn(*extents)
        found = net(data)
        assert found.shape == (extents[0], 3)
        np.testing.assert_allclose(found, net.interpret(data), atol=1e-10)
