"""Which tensors stay as they are from run to run while parameters do."""

from indexlang.ir.bounds import Facts, stays_inside
from indexlang.ir.equation import Equation, Program, Role
from indexlang.ir.expr import reads
from indexlang.ir.layout import roots


def fixed_tensors(program: Program) -> set[str]:
    """Computed tensors that depend on parameters and constants only, and are not returned: with all that share memory.

    None in a program that gives parameters new values: there they would be made again in every run.
    """
    if any(program.tensor(name).role is Role.PARAM for name, _ in program.updates):
        return set()
    home = roots(program)
    params = {t.name for t in program.with_role(Role.PARAM)}
    out = {t.name for t in program.with_role(Role.COMPUTED)} - {n for n in home if home[n] in program.outputs}
    while True:
        loose = {
            home[e.target] for e in program.equations if e.target in out and not _is_fixed(e, program, params | out)
        }
        if not loose:
            return out
        out -= {n for n in out if home[n] in loose}


def _is_fixed(e: Equation, program: Program, known: set[str]) -> bool:
    needs = {r.tensor for part in (*e.left, e.body) for r in reads(part)}
    return not e.accumulates and (bool(needs) or e.part) and needs <= known and _is_checked(e, program)


def _is_checked(e: Equation, program: Program) -> bool:
    box = {b.name: b.extent for b in e.indices}
    extents = program.tensor(e.target).extents
    return all(stays_inside(s, n, box, Facts()) for s, n in zip(e.left, extents, strict=True))
