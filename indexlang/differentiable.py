"""The gradients of a program, as a caller asks for them: programs of adjoints, values with gradients, checks."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from indexlang.differences import GradientCheck, compared
from indexlang.gradients import Derived, ValueAndGradient, adjoint, along, everything, parameters_of, watched
from indexlang.ir.equation import Role
from indexlang.recent import Recent
from indexlang.results import Array
from indexlang.shown import Shown
from indexlang.text.diagnostics import program_error

if TYPE_CHECKING:
    from indexlang.program import Program


class Differentiable(Shown):
    """What a program can say of its derivatives."""

    _tangents: "Recent[object, Program]"

    @abstractmethod
    def _derived(self, made: Derived) -> "Program":
        """The program of a derivative, which keeps the same parameters, states and random numbers."""

    @abstractmethod
    def _in_float64(self) -> "Program":
        """The same program in float64, with parameters of its own."""

    def grad(
        self,
        of: str | Sequence[str] | None = None,
        wrt: str | Sequence[str] | None = None,
        *,
        seeds: bool = False,
        recompute: bool = False,
    ) -> "Program":
        """The program of the gradient: its outputs are `of`, and `dW` for each tensor `W` of `wrt`.

        of       a scalar; if nothing is said, the only output that is one
        wrt      any tensors of floats; if nothing is said, all parameters, or all inputs if there is none
        seeds    `of` may be tensors of any extents: for each there is one more input `dY`, the adjoint of `Y`
        recompute  what is cheap is computed again on the way back: less memory, more time
        returns  a program that shares this one's parameters, states and random numbers. `gradients` says which output
                 is whose gradient, `notes` which are zero because nothing depends on the tensor.
        raises   ProgramError E0501, E0502, E0503, E0504
        """
        names = listed(of) or (self.loss,)
        return self._derived(adjoint(self._typed, names, listed(wrt), seeds, recompute))

    def tangent(self, wrt: str | Sequence[str], of: str | Sequence[str] | None = None) -> "Program":
        """The program of the derivative along a direction: one more input `X_dot` for each tensor `X` of `wrt`, and one
        more output `Y_dot` for each of `of`, or of all float outputs. Otherwise as `grad`; raises E0501, E0503.
        """
        return self._derived(along(self._typed, listed(of), listed(wrt) or ()))

    def jvp(
        self, inputs: Mapping[str, Any], directions: Mapping[str, Any], of: str | Sequence[str] | None = None
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        """Results at `inputs`, and how they change along `directions` (by the names of inputs or parameters).

        directions  arrays with the extents of their tensors     of  all float outputs if nothing is said
        returns     the results, and their derivatives along the directions, both by the names of results
        cost        a small multiple of a run; the first call for these names compiles
        raises      ProgramError E0501, E0503, E0504; DataError as a call does
        """
        key = (tuple(directions), listed(of))
        t = self._tangents.get(key, lambda: self.tangent(*key))
        given = {t.directions[name]: array for name, array in directions.items()}
        found = t(**inputs, **given, want=[*t.gradients, *t.gradients.values()])
        return {n: found[n] for n in t.gradients}, {n: found[dot] for n, dot in t.gradients.items()}

    def signals(self, of: str) -> "tuple[Program, Mapping[str, str]]":
        """The gradient of `of` with respect to every layer that it depends on, and the names of their local slopes.

        A layer is a tensor of floats with two axes or more whose name stands in the text. Raises E0502, E0503.
        """
        made, slopes = watched(self._typed, of)
        return self._derived(made), slopes

    def parameters_of(self, layers: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        """The parameters that each of these tensors reads itself, or through tensors that are none of these."""
        return parameters_of(self._typed, layers)

    def value_and_grad(self, of: str | None = None, wrt: str | Sequence[str] | None = None) -> ValueAndGradient:
        """`f(inputs)` → the value of `of`, and its gradients by the names of the tensors; as for `grad`.

        One run gives both. Raises what `grad` raises; `f` what a call raises.
        """
        name = of or self.loss
        g = self.grad(name, wrt)
        return ValueAndGradient(g, name, g.gradients)

    def check_gradient(
        self, of: str | None = None, inputs: Mapping[str, Any] | None = None, wrt: str | Sequence[str] | None = None,
        *, eps: float = 1e-6,
    ) -> GradientCheck:  # fmt: skip
        """Compare the gradients with central differences, all in float64, at the values that parameters have now.

        inputs   by name
        wrt      inputs, parameters and states of floats; if nothing is said, as for `grad`
        returns  a report with the worst element of each tensor; `ok` says whether all are within 1e-3, and 1e-5
        cost     two runs an element, for at most 64 elements a tensor
        raises   ProgramError E0504 for a tensor that is computed, and what `grad` raises; DataError for the inputs
        """
        name = of or self.loss
        twin = self._in_float64()
        names = listed(wrt) or everything(twin._typed)
        for n in names:
            if n in twin._typed.by_name and twin._typed.tensor(n).role is Role.COMPUTED:
                message = f"`{n}` is computed: no other value can be given to it"
                raise program_error("E0504", message=message, advice="check with respect to inputs and parameters")
        g = twin.grad(name, names)
        found, given = g.values_with(inputs or {}, {}, tuple(g.gradients.values()))

        def value(tensor: str, array: Array) -> float:
            return float(twin.values_with(inputs or {}, {tensor: array}, (name,))[0][name])

        return compared(name, value, given, {n: found[d] for n, d in g.gradients.items()}, eps)


def listed(names: str | Sequence[str] | None) -> tuple[str, ...] | None:
    """One name or several, as several."""
    return (names,) if isinstance(names, str) else None if names is None else tuple(names)


__all__ = ["Differentiable", "listed"]
