"""Calls like one before: memory of results is used again only when nobody holds it, and nothing else is remembered."""

import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import indexlang
from indexlang.recent import Recent
from indexlang.run.blocks import Blocks
from indexlang.text.diagnostics import DataError

SCALED = "input X[B,C]\nparam W[C,C]\nY[b,j] = sum[i](X[b,i]*W[i,j])\n"
DOUBLED = "input X[B]\nY[b] = 2*X[b]\n"
LARGE = (100, 100)  # of floats: 40,000 bytes, a block


def address(array: np.ndarray) -> int:
    return array.ctypes.data


def test_a_block_is_used_again_when_it_is_dropped():
    blocks = Blocks()
    first = blocks.array(LARGE, np.dtype("f4"))
    at = address(first)
    del first
    assert address(blocks.array(LARGE, np.dtype("f4"))) == at


@pytest.mark.parametrize(
    "hold",
    [
        lambda a: a,
        lambda a: a[1:],
        lambda a: a.T[3:4],
        lambda a: a[:, 0][::2],
        lambda a: memoryview(a),
        lambda a: np.frombuffer(a, np.uint8),
        lambda a: a.view(np.int32)[5],
        lambda a: a.base,
        lambda a: np.asarray(memoryview(a)),
        lambda a: a.flat,
        lambda a: np.broadcast_to(a, (3, *LARGE)),
        lambda a: a.ctypes,
        lambda a: a.__dlpack__(),
    ],
)
def test_a_block_that_anybody_holds_is_not_used_again(hold):
    blocks = Blocks()
    first = blocks.array(LARGE, np.dtype("f4"))
    first[:] = 7
    low, high = address(first), address(first) + first.nbytes
    held = [hold(first)]
    copy = first.copy() if isinstance(held[0], np.ndarray) else None
    del first
    others = [blocks.array(LARGE, np.dtype("f4")) for _ in range(4)]
    for other in others:
        other[:] = 1
        assert not low <= address(other) < high
    if copy is not None:
        assert 7 in np.unique(held[0].view(np.float32)) if held[0].dtype != np.uint8 else held[0].any()


def test_blocks_of_results_alive_at_once_are_apart():
    blocks = Blocks()
    alive = [blocks.array(LARGE, np.dtype("f4")) for _ in range(40)]
    assert not any(np.shares_memory(a, b) for k, a in enumerate(alive) for b in alive[:k])


def test_no_more_memory_waits_than_was_said():
    blocks = Blocks(held=200_000)
    alive = [blocks.array(LARGE, np.dtype("f4")) for _ in range(40)]
    assert 0 < blocks.held <= 200_000
    assert len({address(a) for a in alive}) == 40


@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (5,), (1 << 15,)])
def test_arrays_are_aligned_writeable_and_of_the_extents_asked_for(shape: tuple[int, ...]):
    found = Blocks().array(shape, np.dtype("f8"))
    assert (found.shape, found.dtype) == (shape, np.float64)
    assert all((found.flags.c_contiguous, found.flags.writeable, found.flags.aligned))


def test_blocks_from_several_threads_are_apart():
    blocks = Blocks()

    def fill(k: int) -> bool:
        mine = blocks.array(LARGE, np.dtype("i8"))
        mine[:] = k
        return bool((mine == k).all())

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(fill, range(2000)))


def test_a_result_that_is_held_keeps_its_values():
    net = indexlang.compile(DOUBLED)
    x = np.arange(20_000, dtype=np.float32)
    kept = [net(X=x + k)[5:-5] for k in range(6)]
    for k, part in enumerate(kept):
        np.testing.assert_array_equal(part, 2 * (x + k)[5:-5])


def test_a_result_is_an_input_of_the_next_call():
    net = indexlang.compile(DOUBLED)
    y = np.ones(20_000, np.float32)
    for _ in range(8):
        y = net(y)
    assert (y == 256).all()


def test_extents_and_dtypes_that_alternate():
    net = indexlang.compile("Y[b] = 2*X[b]\n")  # it follows its inputs
    for k in range(60):
        dtype = (np.float32, np.float64, np.int64)[k % 3]
        x = np.arange(k % 25 + 1).astype(dtype)
        y = net(X=x)
        np.testing.assert_array_equal(y, 2 * x)
        assert y.dtype == dtype


def test_layouts_that_alternate():
    net = indexlang.compile("input X[A,B]\nY[a,b] = X[a,b]\n")
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    raw = bytearray(3 * 4 * 4 + 1)
    odd = np.frombuffer(raw, np.float32, 12, 1).reshape(3, 4)
    odd[:] = x
    for given in (x, x.T, x[:, ::2], x, odd, x.astype(">f4"), x[::-1], x):
        np.testing.assert_array_equal(net(X=given), given)


def test_wrong_arguments_are_refused_after_right_ones():
    net = indexlang.compile(SCALED, constants={"C": 4})
    x = np.ones((2, 4), np.float32)
    first = net(X=x)
    for wrong in (np.ones((2, 5), np.float32), np.ones(4, np.float32), x.astype(complex)):
        with pytest.raises(DataError):
            net(X=wrong)
    with pytest.raises(DataError):
        net()
    with pytest.raises(DataError):
        net(x, X=x)
    with pytest.raises(DataError):
        net(X=x, want="Z")
    np.testing.assert_array_equal(net(x), first)


def test_new_parameters_are_noticed():
    net = indexlang.compile(SCALED, constants={"C": 32})
    x = np.random.default_rng(0).standard_normal((8, 32)).astype(np.float32)
    net(X=x)
    for k in range(5):
        net.params["W"] = np.eye(32, dtype=np.float32) * k
        np.testing.assert_array_equal(net(X=x), x * k)
        np.testing.assert_array_equal(net(X=x), x * k)
    before = net.init(1)(X=x)
    assert not np.array_equal(net.init(2)(X=x), before)
    np.testing.assert_array_equal(net.init(1)(X=x), before)


def test_parameters_do_not_change_in_place():
    net = indexlang.compile(SCALED, constants={"C": 4})
    net(X=np.ones((1, 4), np.float32))
    with pytest.raises(ValueError, match="read-only"):
        net.params["W"][0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        net.params["W"] += 1


def test_what_was_assigned_may_be_changed_by_its_owner():
    net = indexlang.compile(SCALED, constants={"C": 4})
    mine = np.eye(4, dtype=np.float32)
    net.params["W"] = mine
    x = np.ones((1, 4), np.float32)
    net(X=x)
    mine[:] = 9
    np.testing.assert_array_equal(net(X=x), x)


def test_former_parameters_are_let_go():
    net = indexlang.compile(SCALED, constants={"C": 4})
    x = np.ones((1, 4), np.float32)
    for _ in range(2):
        net(X=x)
    gone = weakref.ref(net.params["W"])
    net.params["W"] = np.eye(4, dtype=np.float32)
    assert gone() is None


def test_inputs_and_results_are_let_go():
    net = indexlang.compile(DOUBLED)
    x = np.ones(4, np.float32)
    y = net(X=x), net(X=x)
    refs = [weakref.ref(x), *map(weakref.ref, y)]
    del x, y
    assert all(r() is None for r in refs)


def test_one_program_from_several_threads_while_parameters_change():
    net = indexlang.compile(SCALED, constants={"C": 64})
    x = np.eye(64, dtype=np.float32)
    choices = [np.full((64, 64), k, np.float32) for k in range(4)]
    net.params["W"] = choices[0]

    def call(k: int) -> bool:
        if k % 5 == 0:
            net.params["W"] = choices[k % 4]
        y = net(X=x)
        return bool((y == y[0, 0]).all()) and y[0, 0] in (0, 1, 2, 3)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(call, range(400)))


def test_recent_keeps_the_last():
    made: list[int] = []

    def value(k: int) -> int:
        return kept.get(k, lambda: made.append(k) or k + 1)

    kept: Recent[int, int] = Recent(2)
    assert [value(k) for k in (0, 1, 0, 2, 0, 1)] == [1, 2, 1, 3, 1, 2]
    assert made == [0, 1, 2, 1]
    assert (len(kept), kept.find(2), kept.find(0)) == (2, None, 1)


def test_more_sizes_than_are_kept():
    net = indexlang.compile(DOUBLED)
    for n in (*range(1, 40), 1, 2, 39):
        np.testing.assert_array_equal(net(X=np.ones(n, np.float32)), np.full(n, 2, np.float32))
