"""LLVM code that copies a row past the caches: whole lines by stores that read and push out none, the ends by ordinary ones."""

from functools import cache

from indexlang.kernels.machine import machine

STREAM = "stream_past_caches"
_LINE = 64  # bytes


@cache
def stream_ir() -> str:
    """LLVM text of `void stream(ptr to, ptr from, int64 bytes)`. The two do not overlap."""
    width = min(machine().vector_bytes, _LINE)
    moves = "\n".join(_move(at, width) for at in range(0, _LINE, width))
    return f"""
        declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
        define void @{STREAM}(ptr noalias captures(none) %to, ptr noalias readonly captures(none) %from, i64 %bytes) {{
        entry:
            %address = ptrtoint ptr %to to i64
            %behind = sub i64 0, %address
            %short = and i64 %behind, {_LINE - 1}
            %few = icmp ult i64 %bytes, %short
            %head = select i1 %few, i64 %bytes, i64 %short
            call void @llvm.memcpy.p0.p0.i64(ptr %to, ptr %from, i64 %head, i1 false)
            %rest = sub i64 %bytes, %head
            %lines = and i64 %rest, -{_LINE}
            %end = add i64 %head, %lines
            br label %loop
        loop:
            %at = phi i64 [ %head, %entry ], [ %next, %line ]
            %more = icmp ult i64 %at, %end
            br i1 %more, label %line, label %tail
        line:
            %source = getelementptr i8, ptr %from, i64 %at
            %target = getelementptr i8, ptr %to, i64 %at
{moves}
            %next = add i64 %at, {_LINE}
            br label %loop
        tail:
            %last = getelementptr i8, ptr %from, i64 %end
            %place = getelementptr i8, ptr %to, i64 %end
            %left = sub i64 %bytes, %end
            call void @llvm.memcpy.p0.p0.i64(ptr %place, ptr %last, i64 %left, i1 false)
            ret void
        }}
        !0 = !{{i32 1}}"""


def _move(at: int, width: int) -> str:
    """One vector of a line."""
    return f"""
            %source{at} = getelementptr i8, ptr %source, i64 {at}
            %target{at} = getelementptr i8, ptr %target, i64 {at}
            %moved{at} = load <{width} x i8>, ptr %source{at}, align 1
            store <{width} x i8> %moved{at}, ptr %target{at}, align {width}, !nontemporal !0"""
