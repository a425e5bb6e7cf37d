"""The walker's native code, as LLVM text. What it does is told in `walker`.

Control block of a run, int64, zero at the start; words that different threads write lie on lines of their own:
    word 0            over     set when the run is to be left
    word 1            bell     address of a counter that every run of the process raises by one when it begins; or 0
    word 2            ticket   what the bell showed then
    word 8            active   helpers inside
    16 + 24 s         next     chunks of step s handed out (may pass the number of chunks)
    24 + 24 s         done     chunks of step s finished
    32 + 24 s         open     set when step s is over: the way to step s + 1 is open
"""

import platform
import sys

SYMBOL = "indexlang_walk"
HEAD, STEP = 16, 24
BELL, ACTIVE = 1, 8
# Values of `first` that are not a step: the call of a helper; the order to end an unfinished run; a look after a finished one.
HELP, CLOSE, LEAVE = -1, -2, -3
_SPINS = 4000
# A helper stays awake so long (ns) after a run: another often follows, and waking a thread takes up to 0.1 ms.
_LINGER = 200_000


def walker_ir() -> str:
    """LLVM text of `int64 walk(table, steps, control, status, times, first, period)`.

    first    >= 0  the caller's own call, from step `first`: returns the step it paused at after `period` ns,
                   `steps` when all is done, `steps + 1` when the run was ended (then nobody is inside any more)
             HELP  a helper's call: returns when there is nothing left to help with and the bell rings again, or soon after
             CLOSE ends the run and waits until no helper is inside
             LEAVE keeps helpers out of a run that is done; returns 1 if none is inside, 0 if one takes long to go
    """
    pause, declaration = _pause()
    return clocked(_TEXT).replace("PAUSE", pause) + declaration


def clocked(text: str) -> str:
    """A text with `NOW` in it, for this system's clock."""
    return text.replace("CLOCK", "6" if sys.platform == "darwin" else "1")


def _pause() -> tuple[str, str]:
    """The processor's hint for waiting loops, and its declaration."""
    match platform.machine().lower():
        case "x86_64" | "amd64" | "i686":
            return "call void @llvm.x86.sse2.pause()", "declare void @llvm.x86.sse2.pause()\n"
        case "arm64" | "aarch64":
            return "call void @llvm.aarch64.hint(i32 1)", "declare void @llvm.aarch64.hint(i32)\n"
        case _:
            return "fence seq_cst", ""


# The monotonic clock, in nanoseconds.
NOW = """
declare i32 @clock_gettime(i32, ptr)

define private i64 @now() {
    %time = alloca [2 x i64]
    %ignored = call i32 @clock_gettime(i32 CLOCK, ptr %time)
    %nanos_at = getelementptr i64, ptr %time, i64 1
    %seconds = load i64, ptr %time
    %nanos = load i64, ptr %nanos_at
    %scaled = mul i64 %seconds, 1000000000
    %now = add i64 %scaled, %nanos
    ret i64 %now
}
"""

_TEXT = f"""
{NOW}
declare i32 @sched_yield()

define i64 @{SYMBOL}(ptr %table, i64 %steps, ptr %control, ptr %status, ptr %times, i64 %first, i64 %period) {{
entry:
    %over = getelementptr i64, ptr %control, i64 0
    %active = getelementptr i64, ptr %control, i64 8
    %helps = icmp eq i64 %first, {HELP}
    %start = call i64 @now()
    %deadline = add i64 %start, %period
    %closes = icmp eq i64 %first, {CLOSE}
    %leaves = icmp eq i64 %first, {LEAVE}
    %ticket_at = getelementptr i64, ptr %control, i64 2
    %bell_at = getelementptr i64, ptr %control, i64 1
    br i1 %closes, label %stop, label %role
role:
    br i1 %helps, label %enter, label %own
own:
    br i1 %leaves, label %part, label %begins
begins:
    %bell = load ptr, ptr %bell_at
    %silent = icmp eq ptr %bell, null
    %resumed = icmp ne i64 %first, 0
    %rings_not = or i1 %silent, %resumed
    br i1 %rings_not, label %step, label %ring
ring:   ; --- helpers that are awake look for work now, while the interpreter is free
    %rung = atomicrmw add ptr %bell, i64 1 seq_cst
    %ticket = add i64 %rung, 1
    store atomic i64 %ticket, ptr %ticket_at release, align 8
    br label %step
enter:
    %before = atomicrmw add ptr %active, i64 1 seq_cst
    %late = load atomic i64, ptr %over seq_cst, align 8
    %is_late = icmp ne i64 %late, 0
    br i1 %is_late, label %stop, label %step

step:   ; --- find the step and its counters
    %s = phi i64 [ %first, %begins ], [ %first, %ring ], [ 0, %enter ], [ %after, %advance ]
    %finished = icmp sge i64 %s, %steps
    br i1 %finished, label %end, label %look
look:
    %offset = mul i64 %s, {STEP}
    %at_next = add i64 %offset, {HEAD}
    %at_done = add i64 %offset, {HEAD + 8}
    %at_open = add i64 %offset, {HEAD + 16}
    %next = getelementptr i64, ptr %control, i64 %at_next
    %done = getelementptr i64, ptr %control, i64 %at_done
    %open = getelementptr i64, ptr %control, i64 %at_open
    %opened = load atomic i64, ptr %open acquire, align 8
    %passed = icmp ne i64 %opened, 0
    br i1 %passed, label %advance, label %begin
begin:  ; --- a step that nobody has begun is not begun after a failure
    %row_at = mul i64 %s, 4
    %row = getelementptr i64, ptr %table, i64 %row_at
    %iterations_at = getelementptr i64, ptr %row, i64 1
    %chunk_at = getelementptr i64, ptr %row, i64 2
    %args_at = getelementptr i64, ptr %row, i64 3
    %worker = load ptr, ptr %row
    %iterations = load i64, ptr %iterations_at
    %wanted_chunk = load i64, ptr %chunk_at
    %args = load ptr, ptr %args_at
    %serial = icmp slt i64 %wanted_chunk, 0
    %opposite = sub i64 0, %wanted_chunk
    %size = select i1 %serial, i64 %opposite, i64 %wanted_chunk
    %size_positive = icmp sgt i64 %size, 0
    %chunk = select i1 %size_positive, i64 %size, i64 1
    %keeps_off = and i1 %serial, %helps
    %some = icmp sgt i64 %iterations, 0
    %count = select i1 %some, i64 %iterations, i64 0
    %count_1 = add i64 %count, -1
    %padded = add i64 %count_1, %chunk
    %chunks = udiv i64 %padded, %chunk
    %state = load atomic i64, ptr %status acquire, align 8
    %good = icmp eq i64 %state, 0
    br i1 %good, label %take, label %doubt
doubt:
    %begun = load atomic i64, ptr %next acquire, align 8
    %not_begun = icmp eq i64 %begun, 0
    br i1 %not_begun, label %stop, label %take

take:   ; --- one chunk after the other
    %left = load atomic i64, ptr %over acquire, align 8
    %is_left = icmp ne i64 %left, 0
    %state_2 = load atomic i64, ptr %status acquire, align 8
    %interrupted = icmp eq i64 %state_2, 2
    %leave = or i1 %is_left, %interrupted
    br i1 %leave, label %stop, label %tired
tired:
    br i1 %helps, label %helper, label %clock
helper: ; --- the chunks of a serial step are the caller's
    br i1 %keeps_off, label %none_here, label %grab
none_here:
    br label %wait
clock:
    %time = call i64 @now()
    %too_long = icmp sgt i64 %time, %deadline
    br i1 %too_long, label %pause, label %grab
grab:
    %k = atomicrmw add ptr %next, i64 1 acq_rel
    %have = icmp slt i64 %k, %chunks
    br i1 %have, label %work, label %none
work:
    %low = mul i64 %k, %chunk
    %high = add i64 %low, %chunk
    %short = icmp slt i64 %high, %count
    %limit = select i1 %short, i64 %high, i64 %count
    call void %worker(i64 %low, i64 %limit, ptr %args)
    %already = atomicrmw add ptr %done, i64 1 acq_rel
    %so_far = add i64 %already, 1
    %last = icmp eq i64 %so_far, %chunks
    br i1 %last, label %finish, label %take
none:   ; --- an empty step is finished by the first thread that comes to it
    %which = or i64 %k, %chunks
    %empty_first = icmp eq i64 %which, 0
    br i1 %empty_first, label %finish, label %wait
finish:
    %stamp = call i64 @now()
    %after_1 = add i64 %s, 1
    %time_at = getelementptr i64, ptr %times, i64 %after_1
    store i64 %stamp, ptr %time_at
    store atomic i64 1, ptr %open release, align 8
    br label %advance
advance:
    %after = add i64 %s, 1
    br label %step

wait:   ; --- until the others have finished their chunks
    %spin = phi i64 [ 0, %none ], [ 0, %none_here ], [ %spin_more, %again ]
    %spin_more = add i64 %spin, 1
    %is_open = load atomic i64, ptr %open acquire, align 8
    %go = icmp ne i64 %is_open, 0
    br i1 %go, label %advance, label %still
still:
    %left_3 = load atomic i64, ptr %over acquire, align 8
    %is_left_3 = icmp ne i64 %left_3, 0
    %state_3 = load atomic i64, ptr %status acquire, align 8
    %interrupted_3 = icmp eq i64 %state_3, 2
    %leave_3 = or i1 %is_left_3, %interrupted_3
    br i1 %leave_3, label %stop, label %patient
patient:
    %spins = icmp slt i64 %spin, {_SPINS}
    br i1 %spins, label %hint, label %yield
hint:
    PAUSE
    br label %again
yield:
    %yielded = call i32 @sched_yield()
    br i1 %helps, label %again, label %clock_3
clock_3:
    %time_3 = call i64 @now()
    %too_long_3 = icmp sgt i64 %time_3, %deadline
    br i1 %too_long_3, label %pause, label %again
again:
    br label %wait

pause:
    ret i64 %s
end:
    br i1 %helps, label %depart, label %complete
complete:
    ret i64 %steps
stop:   ; --- a helper goes; the caller sees all helpers off
    br i1 %helps, label %depart, label %see_off
depart:
    %bell_2 = load ptr, ptr %bell_at
    %shown = load atomic i64, ptr %ticket_at acquire, align 8
    %before_3 = atomicrmw sub ptr %active, i64 1 seq_cst
    %nothing_rings = icmp eq ptr %bell_2, null
    br i1 %nothing_rings, label %gone, label %linger
linger: ; --- awake, but out of the run: until the next one begins, or for a while
    %departed = call i64 @now()
    %until = add i64 %departed, {_LINGER}
    br label %listen
listen:
    %turn = phi i64 [ 0, %linger ], [ %turn_1, %doze ], [ %turn_1, %let ]
    %turn_1 = add i64 %turn, 1
    %now_shown = load atomic i64, ptr %bell_2 acquire, align 8
    %rings = icmp ne i64 %now_shown, %shown
    br i1 %rings, label %gone, label %doze_or_let
doze_or_let:
    %low_bits = and i64 %turn_1, 63
    %is_time = icmp eq i64 %low_bits, 0
    br i1 %is_time, label %check, label %doze
doze:
    PAUSE
    br label %listen
check:
    %time_4 = call i64 @now()
    %asleep = icmp sgt i64 %time_4, %until
    br i1 %asleep, label %gone, label %let
let:
    %yielded_5 = call i32 @sched_yield()
    br label %listen
gone:
    ret i64 0
part:
    store atomic i64 1, ptr %over seq_cst, align 8
    br label %leaving
leaving:
    %glance = phi i64 [ 0, %part ], [ %glance_1, %leaving_2 ]
    %glance_1 = add i64 %glance, 1
    %still_in = load atomic i64, ptr %active seq_cst, align 8
    %empty = icmp eq i64 %still_in, 0
    br i1 %empty, label %left_all, label %not_yet
not_yet:
    %enough = icmp sge i64 %glance, {_SPINS}
    br i1 %enough, label %left_some, label %leaving_2
leaving_2:
    PAUSE
    br label %leaving
left_all:
    ret i64 1
left_some:
    ret i64 0
see_off:
    store atomic i64 1, ptr %over seq_cst, align 8
    br label %inside
inside:
    %count_in = load atomic i64, ptr %active seq_cst, align 8
    %somebody = icmp ne i64 %count_in, 0
    br i1 %somebody, label %yield_4, label %ended
yield_4:
    %yielded_4 = call i32 @sched_yield()
    br label %inside
ended:
    %over_steps = add i64 %steps, 1
    ret i64 %over_steps
}}
"""
