"""What names mean while a program is being elaborated: the world outside an equation, and the scope inside."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from indexlang.infer.contents import Looked
from indexlang.infer.solutions import Solutions
from indexlang.ir.build import Builder, Number
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Tensor
from indexlang.ir.expr import Bound, Expr
from indexlang.ir.size import Extent, Named, Size, symbol
from indexlang.syntax import ast
from indexlang.text.diagnostics import Diagnostic, ProgramError, program_error
from indexlang.text.names import did_you_mean, look_alike
from indexlang.text.source import Span
from indexlang.text.values import immutable

NUMBERS: Mapping[str, float] = {"inf": float("inf"), "pi": 3.141592653589793, "π": 3.141592653589793}


MOST_COMPARED = 50_000  # names, in looking for those like unknown ones: whoever has so many mistakes needs no guesses
_NO_GUESS = "define it, or declare it with `input`"


@immutable
class Options:
    """What is known besides the text.

    sizes   values of named extents           constants  values that replace those in the text (`-D`)
    dtypes  of inputs that are not declared: as the arguments of a call have them
    mapped  whether every input has one more leading axis than it declares, and every output with it
    batches the named extents whose kernels serve every value (`ir.batches`); None: all of them
    exact   as `ir.equation.Program` has it
    """

    float_type: DType
    sizes: Mapping[str, int] = field(default_factory=dict[str, int])
    constants: Mapping[str, Number] = field(default_factory=dict[str, Number])
    dtypes: Mapping[str, DType] = field(default_factory=dict[str, DType])
    mapped: bool = False
    batches: frozenset[str] | None = None
    exact: bool = False


@dataclass
class World:
    """The names of a module. Filled while statements are elaborated; read-only inside an equation."""

    options: Options
    build: Builder
    declares: bool  # whether the text declares its inputs; if not, unknown tensors become inputs
    constants: dict[str, Number] = field(default_factory=dict[str, Number])
    tables: dict[str, tuple[Number, ...]] = field(default_factory=dict[str, tuple[Number, ...]])
    extents: set[str] = field(default_factory=set[str])
    tensors: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    places: dict[str, Span] = field(default_factory=dict[str, Span])  # where a name is defined
    broken: set[str] = field(default_factory=set[str])  # what is defined with a mistake
    broken_stems: frozenset[str] = frozenset()  # `L` for each `L_{l}` among them
    computed: set[str] = field(default_factory=set[str])  # tensors that some equation defines
    values: dict[str, Extent] = field(default_factory=dict[str, Extent])  # the extents that a function's head names
    solutions: Solutions = field(default_factory=Solutions)
    looked: Looked = field(default_factory=Looked)  # at equations: what stands in them
    defining: str = ""  # the tensor whose equation is looked at
    functions: Collection[str] = ()  # what can be called

    def extent(self, name: str) -> Extent:
        """The named extent, or its value where that is known."""
        if name in self.values:
            return self.values[name]
        known = self.options.sizes.get(name)
        if known is None:
            return symbol(name)
        batches = self.options.batches
        return Named(known) if batches is None or name in batches else known

    def is_broken(self, name: str) -> bool:
        """Whether a name, or its package, is defined with a mistake that was told: nothing is said of its uses."""
        package = name.partition(".")[0]
        if name in self.broken or package in self.broken:
            return True
        stems = self.broken_stems
        return any(c == "_" and package[:n] in stems for n, c in enumerate(package)) if stems else False

    def no_index(self, name: str, span: Span) -> ProgramError:
        """E0314: a constant where an index would begin. One of the language, `training`, has no place in the text."""
        places = [self.places[name]] if name in self.places else []
        return program_error("E0314", span, name=name, because=[(f"the constant `{name}`", place) for place in places])

    def fresh_extent(self, stem: str) -> str:
        """A name for an extent that the text does not name: the capital of the index that shows it."""
        name, n = stem, 1
        while name in self.extents or name in self.constants:
            n += 1
            name = f"{stem}{n}"
        self.extents.add(name)
        return name

    def suggestion(self, name: str, more: Iterable[str] = ()) -> str:
        """The hint for an unknown name."""
        if self.looked.compared > MOST_COMPARED:
            return _NO_GUESS
        known = {*self.tensors, *self.computed, *self.constants, *self.extents, *more} - {self.defining}
        self.looked.compared += len(known)
        twin = look_alike(name, known)
        if twin is not None:
            return f"a letter of `{name}` is {twin[1]} and only looks like that of `{twin[0]}`: type it anew"
        return did_you_mean(name, known, _NO_GUESS)


@immutable
class Var:
    """An index while its equation is elaborated. Its extent is the symbol `?name` until ranges are solved.

    is_number  its written range is a number that stands in the text
    """

    name: str  # unique in the equation
    letter: str  # as written
    span: Span
    written: Extent | None = None
    is_number: bool = False

    @property
    def symbol(self) -> str:
        """What stands for its extent until that is solved."""
        return f"?{self.name}"

    @property
    def extent(self) -> Size:
        """The symbol as a size."""
        return symbol(self.symbol)

    @property
    def bound(self) -> Bound:
        """The index with that extent, as equations bind it."""
        return Bound(self.name, self.extent, self.span)


@immutable
class Use:
    """One subscript of an access (or one part of a group): it must stay inside `extent` elements.

    is_bare  the subscript is written as an index alone; `2*g+i` is not, even where g is the constant 0
    """

    subscript: Expr
    extent: Extent
    tensor: str
    axis: int
    span: Span
    access: Span
    is_bare: bool = False
    bordered: bool = False
    needs_elements: str = ""  # the border rule that repeats elements
    writes: bool = False
    conditions: tuple[tuple[Expr, bool], ...] = ()
    bound_here: tuple[Var, ...] = ()  # the indices in scope


@immutable
class GroupUse:
    """The parts of a group: their extents multiply to that of the axis."""

    parts: tuple[Extent, ...]
    extent: Extent
    tensor: str
    axis: int
    span: Span


@dataclass
class Scope:
    """What is collected from one equation."""

    vars: dict[str, Var] = field(default_factory=dict[str, Var])  # by unique name
    uses: list[Use] = field(default_factory=list[Use])
    groups: list[GroupUse] = field(default_factory=list[GroupUse])
    left: dict[str, Var] = field(default_factory=dict[str, Var])  # by letter
    letters: dict[str, str] = field(default_factory=dict[str, str])  # of every index made, twins included
    capitals: dict[str, str] = field(default_factory=dict[str, str])  # `?X` asked for before index x was met → x
    ahead: frozenset[str] = frozenset()  # letters that some reduction of the equation binds
    warnings: list[Diagnostic] = field(default_factory=list[Diagnostic])
    never_empty: list[tuple[str, "Var", Span]] = field(default_factory=list[tuple[str, "Var", Span]])  # mean, argmax

    def new(self, letter: str, span: Span, written: Extent | None = None, text: ast.Expr | None = None) -> Var:
        """A new index of the equation; its range is to be solved. `text`: what is written as its range."""
        is_number = (
            isinstance(text, ast.Number) and text.span.text[:1].isdigit()
        )  # names have values put in their place
        var = Var(self._fresh(letter), letter, span, written, is_number)
        self.vars[var.name] = var
        return var

    def twin(self, letter: str, span: Span) -> Var:
        """A new name for an index whose extent is that of another."""
        return Var(self._fresh(letter), letter, span)

    def _fresh(self, letter: str) -> str:
        name, n = letter, 1
        while name in self.letters:
            n += 1
            name = f"{letter}#{n}"
        self.letters[name] = letter
        return name
