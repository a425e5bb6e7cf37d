"""Tensors in parts, and parts that are made where they belong."""

import numpy as np
import pytest
from handmade import Maker, add, agrees_with_the_oracle, drawn, mul, read, relu, run, total
from hypothesis import given, settings
from hypothesis import strategies as st

from indexlang import pipeline
from indexlang.ir import interp
from indexlang.ir.equation import Program, Role
from indexlang.ir.layout import layout
from indexlang.passes.embed import copied
from indexlang.run.machine import target


def dense_block(layers: int, side: int, growth: int, outputs: tuple[str, ...] = ()) -> Program:
    """`R_k = relu(sum W_k*L_k[x+dx-1,y+dy-1 else 0])`, `L_{k+1} = L_k ; R_k`, and a mean over the pixels."""
    m = Maker()
    m.given("X", 2, side, side, 3)
    m.equation("L0", "b x y j", (2, side, side, 3), relu(read("X", "b", "x", "y", "j")))
    for k in range(layers):
        width = int(m.tensors[f"L{k}"].extents[-1])  # type: ignore[arg-type]
        m.given(f"W{k}", 3, 3, width, growth, role=Role.PARAM)
        image = read(f"L{k}", "b", "x+dx+-1", "y+dy+-1", "i", border=0.0)
        taps = read(f"W{k}", "dx", "dy", "i", "j")
        m.equation(
            f"R{k}", "b x y j", (2, side, side, growth), relu(total({"dx": 3, "dy": 3, "i": width}, mul(taps, image)))
        )
        m.joined(f"L{k + 1}", 3, f"L{k}", f"R{k}")
    last = f"L{layers}"
    width = int(m.tensors[last].extents[-1])  # type: ignore[arg-type]
    m.equation("m", "b j", (2, width), total({"x": side, "y": side}, read(last, "b", "x", "y", "j")))
    return m.program(*outputs, "m")


def test_a_dense_block_is_one_buffer_without_copies() -> None:
    program = dense_block(4, 5, 2)
    simple = pipeline.simple(program, program.outputs, target())
    inside = {t.name for t in simple.tensors if t.role is Role.COMPUTED and layout(simple, t.name).root == "L4"}
    assert inside == {f"L{k}" for k in range(5)}  # the layers R0 … are written into their places at once
    plan = pipeline.plan(program, program.outputs, target())
    assert not [s.nest.title for s in plan.steps if copied(s.equation)]


@pytest.mark.parametrize("side", [0, 1, 2, 7])
@pytest.mark.parametrize("outputs", [(), ("L4",), ("L2", "R1"), ("L0", "R3", "L4")])
def test_a_dense_block_equals_the_oracle(side: int, outputs: tuple[str, ...]) -> None:
    agrees_with_the_oracle(dense_block(4, side, 2, outputs))


def test_what_is_returned_has_memory_of_its_own() -> None:
    program = dense_block(2, 4, 3, ("R0", "L1"))
    results = run(program, drawn(program))
    assert all(a.flags.c_contiguous and a.flags.owndata for a in results.values())
    assert (results["L1"][..., 3:] == results["R0"]).all()


def test_a_padded_tensor_is_made_inside_its_border() -> None:
    m = Maker()
    m.given("X", 6, 6, 3)
    m.given("W", 3, 3, 3, 5, role=Role.PARAM)
    m.equation("L", "x y i", (6, 6, 3), relu(read("X", "x", "y", "i")))
    image = read("L", "x+dx+-1", "y+dy+-1", "i", border=0.0)
    m.equation("Y", "x y j", (6, 6, 5), total({"dx": 3, "dy": 3, "i": 3}, mul(read("W", "dx", "dy", "i", "j"), image)))
    program = m.program("Y")
    simple = pipeline.simple(program, ("Y",), target())
    assert layout(simple, "L").root == "L_padded"
    agrees_with_the_oracle(program)


def test_one_tensor_twice_and_inputs_are_copied() -> None:
    m = Maker()
    m.given("X", 3, 4)
    m.equation("P", "x j", (3, 2), add(read("X", "x", "j"), read("X", "x", "j+2")))
    m.joined("S", 1, "P", "X", "P")
    m.joined("T", 0, "S", "S")
    m.equation("Z", "x j", (6, 8), mul(read("T", "x", "j"), read("T", "x", 0)))
    agrees_with_the_oracle(m.program("Z"))
    agrees_with_the_oracle(m.program("S", "T"))


def test_the_oracle_refuses_parts_that_overlap_or_leave_gaps() -> None:
    m = Maker()
    m.given("X", 3)
    m.joined("S", 0, "X", "X")
    first, second = m.equations
    m.equations = [first, first]
    with pytest.raises(interp.NotParts):
        interp.interpret(m.program("S"), {"X": np.ones(3)})
    m.equations = [second]
    with pytest.raises(interp.NotParts):
        interp.interpret(m.program("S"), {"X": np.ones(3)})


@st.composite
def joins(draw: st.DrawFn) -> Program:
    """Tensors of three axes, each a window maximum, a product of matrices or a join of earlier ones, of odd extents."""
    m = Maker()
    x, y = draw(st.sampled_from([0, 1, 3, 7])), draw(st.sampled_from([1, 2, 5]))
    m.given("X", x, y, draw(st.sampled_from([0, 1, 2, 5, 17])))
    names = ["X"]
    for k in range(draw(st.integers(2, 6))):
        name, source = f"T{k}", draw(st.sampled_from(names))
        extents = [int(n) for n in m.tensors[source].extents]  # type: ignore[arg-type]
        match draw(st.sampled_from(["join", "join", "join", "relu", "product", "convolution", "pool"])):
            case "join":
                axis = draw(st.sampled_from([0, 1, 2, 2]))
                fits = [n for n in names if same_but(m, n, source, axis)]
                others = draw(st.lists(st.sampled_from(fits), min_size=1, max_size=2))
                m.joined(name, axis, *draw(st.permutations([source, *others])))
            case "relu":
                m.equation(name, "x y j", tuple(extents), relu(read(source, "x", "y", "j")))
            case "product":
                width = draw(st.sampled_from([1, 2, 16, 19]))
                m.given(f"W{k}", extents[2], width, role=Role.PARAM)
                body = total({"i": extents[2]}, mul(read(source, "x", "y", "i"), read(f"W{k}", "i", "j")))
                m.equation(name, "x y j", (extents[0], extents[1], width), body)
            case "convolution":
                m.given(f"W{k}", 3, extents[2], 4, role=Role.PARAM)
                image = read(source, "x+dx+-1", "y", "i", border=0.0)
                body = total({"dx": 3, "i": extents[2]}, mul(image, read(f"W{k}", "dx", "i", "j")))
                m.equation(name, "x y j", (extents[0], extents[1], 4), body)
            case _:
                body = total({"dx": 3}, read(source, "x+dx+-1", "y", "j", border=-1.0), interp.ops.LARGEST)
                m.equation(name, "x y j", tuple(extents), body)
        names.append(name)
    outputs = draw(st.lists(st.sampled_from(names[1:]), min_size=1, max_size=2, unique=True))
    return m.program(*outputs)


def same_but(m: Maker, a: str, b: str, axis: int) -> bool:
    shapes = zip(m.tensors[a].extents, m.tensors[b].extents, strict=True)
    return all(n == p for k, (n, p) in enumerate(shapes) if k != axis)


@settings(max_examples=40)
@given(joins())
def test_random_joins_equal_the_oracle(program: Program) -> None:
    agrees_with_the_oracle(program)
