"""Generated source reads like the equation: its letters, its extents, the strides by axis."""

import indexlang as il

TEXT = """
input L0[B, 32, 32, 3]
param W[5, 5, 3, 16]
L1[b,x,y,j] = relu(sum W[dx,dy,i,j] * L0[b,2*x+dx,2*y+dy,i])
L2[b,x,y,j] = max[dx:3, dy:3] L1[b,2*x+dx,2*y+dy,j]
output L2
"""


def test_a_pool_is_written_in_the_letters_of_its_equation() -> None:
    source = il.compile(TEXT, constants={"B": 2}).show("source", "L2")
    assert "# L2[b:2,x:6,y:6,j:16] = max[dx:3,dy:3](L1[b,2*x+dx,2*y+dy,j])" in source
    assert "(2 * x + dx) * L1_1" in source
    assert "put(L2" in source
    assert "max2(t1" in source


def test_names_of_users_never_shadow_words_of_the_kernel() -> None:
    program = il.compile("input args[3]\nstart[n] = relu(args[n])\noutput start\n", dtype="f64")
    assert list(program([-1.0, 2.0, 3.0])) == [0.0, 2.0, 3.0]
