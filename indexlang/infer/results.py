"""What a call computed, moved to the caller: its tensors under the caller's names, over the mapped axes too."""

from dataclasses import replace

from indexlang.infer.bodies import Body
from indexlang.infer.heads import Head
from indexlang.infer.mapping import Alias, Transplant
from indexlang.infer.matching import NameGiven, header, package_params
from indexlang.ir.equation import Call, Equation, Tensor
from indexlang.ir.expr import Index
from indexlang.ir.size import same
from indexlang.syntax import ast
from indexlang.text.diagnostics import program_error


class Results:
    """Moves what the body of a call gives; `name` is the caller's tensor, `target` that of its equation."""

    def __init__(self, head: Head, body: Body, name: str, target: str) -> None:
        self.head, self.body, self.inner, self.name, self.target = head, body, body.inner, name, target
        self.caller, self.call, self.form, self.binding = head.caller, head.call, head.form, head.binding
        self.solutions = head.world.solutions

    def move(self) -> int:
        """Move all; the rank of the result at the caller. Raises E0218, E0415."""
        inner, head, local = self.inner, self.head, self.body.result
        package = self._package()
        renamed = {local: self.name}
        for t in inner.out.declared.values():
            renamed[t.name] = self._declared_name(t.name, package)
        for t in inner.out.computed.values():
            renamed.setdefault(t.name, self._next_name(t.name, renamed) or f"{self.name}.{t.name}")
        seen_from_here = self._derivatives(renamed)
        plan = Transplant({**head.aliases, **seen_from_here}, renamed, tuple(head.leading), head.world.build)
        call = self._call()
        by_target: dict[str, list[Equation]] = {}
        for e in plan.equations(self.body.equations, (call,)):
            by_target.setdefault(e.target, []).append(e)
        self._check_updates(plan)
        self._check_derivatives(plan)
        for t in inner.out.declared.values():
            self._declare(replace(t, name=renamed[t.name]), t)
        out = self.caller
        for t in inner.out.computed.values():
            if t.name in seen_from_here:
                continue
            mine = by_target[renamed[t.name]]
            axes = tuple(s.name if isinstance(s, Index) else "" for s in mine[0].left)
            moved = plan.tensor(t, axes, self.call.span if t.name == local else t.span)
            out.world.places.setdefault(moved.name, moved.span)
            out.add(moved, mine)
        for kept, following in inner.out.updates.items():
            if renamed[kept] in out.out.updates:
                raise program_error("E0218", self.call.span, name=renamed[kept], message="gets two next values",
                                    advice="give each call a package of its own")  # fmt: skip
            out.out.updates[renamed[kept]] = renamed[following]
        out.out.warnings.extend(inner.out.warnings)
        return len(out.world.tensors[self.name].extents)

    def _call(self) -> Call:
        given = self.binding.constants
        named = ((p.keyword, p.name) for p in self.form.params if isinstance(p, ast.ConstantParam))
        numbers = tuple((keyword, given[name].value) for keyword, name in named if name in given)
        return Call(self.form.name, self.name, numbers, not self.caller.library.is_own(self.form))

    def _derivatives(self, renamed: dict[str, str]) -> dict[str, Alias]:
        """Those with respect to a tensor of the caller are the caller's, as the function sees them: `d(E)/d(W)` of its head."""
        aliases, out = self.head.aliases, self.caller
        found: dict[str, Alias] = {}
        for r in self.inner.out.derivatives:
            of = aliases[r.of].name if r.of in aliases else renamed[r.of]
            if r.wrt in aliases and not self.inner.world.tensors[r.of].extents:
                seen = aliases[r.wrt]
                found[r.name] = replace(seen, name=out.derivatives.tensor(of, (), seen.name, r.span))
            else:
                wrt = aliases[r.wrt].name if r.wrt in aliases else renamed[r.wrt]
                out.out.derivatives.append(replace(r, name=renamed[r.name], of=of, wrt=wrt))
        return found

    def _check_derivatives(self, plan: Transplant) -> None:
        """A derivative is of one number: a call for each element of a mapped axis has many."""
        for r in self.inner.out.derivatives:
            whole = r.wrt not in self.head.aliases or not self.inner.world.tensors[r.of].extents
            lead = plan.lead.get(r.of, 0) or (r.wrt not in self.head.aliases and plan.lead.get(r.wrt, 0))
            if lead or (not whole and plan.is_needed):
                message = f"`{self.form.name}` is called for each element of an axis, and differentiates inside"
                advice = "differentiate outside of the function, or give it tensors without further axes"
                note = (f"`{self.form.name}` is called here", self.call.span)
                raise program_error("E0504", r.span, message=message, advice=advice, because=[note])

    def _next_name(self, name: str, renamed: dict[str, str]) -> str | None:
        """`mean.next` goes where `mean` goes."""
        kept = name.removesuffix(".next")
        return f"{renamed[kept]}.next" if kept != name and kept in renamed else None

    def _package(self) -> str:
        """The package of this call's parameters, as the caller names it."""
        own = next(iter(package_params(self.form)), "")
        if own in self.binding.packages:
            return self._as_named_here(self.binding.packages[own].name)
        frame = self.caller
        declared = self.inner.out.declared
        if not declared:
            return self.target
        name, n = self.target, 1
        while any(f"{name}.{p}" in frame.out.declared for p in declared):
            n += 1
            name = f"{self.target}.{self.form.name}{n if n > 2 else ''}"
        return name

    def _as_named_here(self, package: str) -> str:
        """Parameters of a body's own package are called without it until they reach the caller."""
        head, _, rest = package.partition(".")
        return rest if head in self.caller.packages else package

    def _declared_name(self, name: str, package: str) -> str:
        """`W` of the body belongs to its own package; `Ψ.W`, to another one of its head, to what the call gives for Ψ."""
        head, _, rest = name.partition(".")
        if rest and head in self.binding.packages:
            package, name = self._as_named_here(self.binding.packages[head].name), rest
        return f"{package}.{name}" if package else name

    def _given_for(self, original: Tensor) -> NameGiven | None:
        """The package in the call that a parameter of the body belongs to."""
        head = original.name.partition(".")[0]
        own = next(iter(package_params(self.form)), "")
        return self.binding.packages.get(head) or self.binding.packages.get(own)

    def _declare(self, moved: Tensor, original: Tensor) -> None:
        """A parameter of a shared package is declared once."""
        frame = self.caller
        known = frame.out.declared.get(moved.name)
        if known is None:
            frame.world.tensors[moved.name] = moved
            frame.world.places.setdefault(moved.name, self.call.span)
            frame.out.declared[moved.name] = moved
            self._check_package_extents(moved, original)
            return
        for axis, (a, b) in enumerate(zip(known.extents, moved.extents, strict=False)):
            if same(a, b) is None:
                self.solutions.unify(a, b, f"`{moved.name}` is shared", self.call.span)
            if same(a, b) is False or len(known.extents) != len(moved.extents):
                raise program_error(
                    "E0218",
                    self.call.span,
                    name=moved.name,
                    message=f"has extent {a} on axis {axis} in one call and {b} in this one",
                    advice="give each call a package of its own",
                    because=[(f"`{moved.name}` is made by this call", frame.world.places.get(moved.name, known.span))],
                )

    def _check_package_extents(self, moved: Tensor, original: Tensor) -> None:
        """`Φ[1,1,J,K]` states the extents of a package's first parameter of that rank."""
        given = self._given_for(original)
        if given is None or given.extents is None or len(given.extents) != len(moved.extents):
            return
        for axis, (s, found) in enumerate(zip(given.extents, moved.extents, strict=True)):
            wanted = self.caller.extent_of(s) if not isinstance(s, ast.Ranged | ast.Group | ast.Pack) else None
            if wanted is None:
                continue
            if same(wanted, found) is False:
                raise program_error(
                    "E0415",
                    s.span,
                    axis=axis,
                    tensor=moved.name,
                    stated=wanted,
                    found=found,
                    because=[(f"`{original.name}` is declared here", original.span)],
                )
            self.solutions.unify(wanted, found, f"the package states {wanted}", s.span)

    def _check_updates(self, plan: Transplant) -> None:
        for kept, following in self.inner.out.updates.items():
            if plan.lead.get(following, 0):
                raise program_error(
                    "E0218",
                    self.call.span,
                    name=kept,
                    message="would get a next value for each element of a mapped axis",
                    advice=f"write the axis into the head of `{header(self.form)}`",
                )
