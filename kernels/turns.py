"""A worker made of workers: rows of a table that one thread goes through from the first to the last. Needs llvmlite.

So a thread computes several equations for a piece of their indices, and what one leaves for the next stays in the cache
of its core.
"""

import hashlib
from functools import cache

import llvmlite.binding as llvm

from indexlang.kernels.loader import load
from indexlang.kernels.machine import cpu_key, target_machine
from indexlang.kernels.tiles import Cache, kept
from indexlang.kernels.walker import INTERRUPTED
from indexlang.kernels.walker_ir import NOW, clocked

SYMBOL = "indexlang_turns"
# One row, int64: a worker, its iterations, its chunk, the address of its arguments; the nanoseconds that it took.
ROW = 5
# Arguments: the address of the rows; that of the rows at which each iteration begins, and the last one ends; that of a
# walker's status: a run that is interrupted ends before the next chunk.


@cache
def worker(store: Cache | None) -> int:
    """The address of the worker: an iteration of it goes through the rows from its beginning to that of the next.

    cost  about 10 ms to compile, 1 ms from `store`; 50 ns a row
    """
    text = clocked(_TEXT)
    key = "turns_" + hashlib.sha256(f"{cpu_key()} {text}".encode()).hexdigest()
    return load(kept(store, key, lambda: target_machine().emit_object(llvm.parse_assembly(text))), SYMBOL)


_TEXT = f"""
{NOW}
define void @{SYMBOL}(i64 %low, i64 %limit, ptr %args) {{
entry:
    %begins_at = getelementptr i64, ptr %args, i64 1
    %status_at = getelementptr i64, ptr %args, i64 2
    %rows = load ptr, ptr %args
    %begins = load ptr, ptr %begins_at
    %status = load ptr, ptr %status_at
    br label %piece
piece:
    %j = phi i64 [ %low, %entry ], [ %j_1, %piece_end ]
    %j_1 = add i64 %j, 1
    %have = icmp slt i64 %j, %limit
    br i1 %have, label %begin, label %end
begin:
    %first_at = getelementptr i64, ptr %begins, i64 %j
    %last_at = getelementptr i64, ptr %begins, i64 %j_1
    %first = load i64, ptr %first_at
    %last = load i64, ptr %last_at
    br label %row
row:
    %r = phi i64 [ %first, %begin ], [ %r_1, %row_end ]
    %r_1 = add i64 %r, 1
    %more = icmp slt i64 %r, %last
    br i1 %more, label %look, label %piece_end
look:
    %word = mul i64 %r, {ROW}
    %at = getelementptr i64, ptr %rows, i64 %word
    %iterations_at = getelementptr i64, ptr %at, i64 1
    %chunk_at = getelementptr i64, ptr %at, i64 2
    %own_at = getelementptr i64, ptr %at, i64 3
    %time_at = getelementptr i64, ptr %at, i64 4
    %worker = load ptr, ptr %at
    %iterations = load i64, ptr %iterations_at
    %stated = load i64, ptr %chunk_at
    %own = load ptr, ptr %own_at
    %serial = icmp slt i64 %stated, 0
    %opposite = sub i64 0, %stated
    %chunk = select i1 %serial, i64 %opposite, i64 %stated
    %started = call i64 @now()
    br label %take
take:
    %from = phi i64 [ 0, %look ], [ %to, %work ]
    %left = icmp slt i64 %from, %iterations
    br i1 %left, label %ask, label %row_end
ask:
    %state = load atomic i64, ptr %status acquire, align 8
    %stop = icmp eq i64 %state, {INTERRUPTED}
    br i1 %stop, label %end, label %work
work:
    %far = add i64 %from, %chunk
    %inside = icmp slt i64 %far, %iterations
    %to = select i1 %inside, i64 %far, i64 %iterations
    call void %worker(i64 %from, i64 %to, ptr %own)
    br label %take
row_end:
    %ended = call i64 @now()
    %took = sub i64 %ended, %started
    store i64 %took, ptr %time_at
    br label %row
piece_end:
    br label %piece
end:
    ret void
}}
"""
