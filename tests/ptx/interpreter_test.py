# SPDX-License-Identifier: MIT
"""The interpreter of PTX does what NVIDIA's manual says, instruction by instruction, and objects where it should.

Needs NumPy; ends with 77 without it.
"""

import struct
import sys
import unittest

try:
    import numpy as np
except ImportError:
    print("no NumPy: the interpreter of PTX was not tested", file=sys.stderr)
    sys.exit(77)

from interpreter import Device, Kernel
from sm90 import tensor_map
from source import Module, PtxError

REGISTERS = """.reg .pred %p<9>; .reg .b16 %rs<9>; .reg .f32 %f<40>; .reg .b32 %r<40>; .reg .f64 %fd<9>;
  .reg .b64 %rd<9>;"""
# Every thread's place in the output, whose elements have 4, 8 or 16 bytes, in %rd1, and its number in %r1.
PROLOGUE = """
  ld.param.u64 %rd1, [kernel_param_0];
  cvta.to.global.u64 %rd1, %rd1;
  mov.u32 %r1, %tid.x;
  mul.wide.u32 %rd2, %r1, {size};
  add.s64 %rd1, %rd1, %rd2;
"""
MODULE = """
.version 8.7
.target sm_80
.address_size 64
.extern .shared .align 1024 .b8 dynamic[];
{functions}
.visible .entry kernel(
  .param .u64 kernel_param_0,
  .param .u64 kernel_param_1
)
.maxntid {threads}, 1, 1
{{
  {registers}
  .shared .align 16 .b8 tile[1024];
  {body}
  ret;
}}
"""


def execute(body, dtype=np.uint32, threads=32, blocks=1, given=(), functions="", shared_bytes=64):
    """What each thread of a kernel stores at %rd1; `given` is in global memory, its address the second parameter."""
    dtype = np.dtype(dtype)
    text = PROLOGUE.format(size=dtype.itemsize) + body
    module = Module(MODULE.format(functions=functions, threads=threads, registers=REGISTERS, body=text))
    device = Device(1 << 16)
    output = device.allocate(threads * dtype.itemsize)
    source = device.put(np.asarray(given)) if len(given) else 0
    arguments = [struct.pack("<Q", output), struct.pack("<Q", source)]
    device.launch(Kernel(module.kernel("kernel")), (blocks,), module.threads("kernel"), arguments, shared_bytes)
    return device.get(output, dtype, threads)


def one(body, dtype=np.uint32, **options):
    """What the first thread stores."""
    return execute(body, dtype, **options)[0]


def bits(value):
    return f"0f{struct.unpack('<I', struct.pack('<f', value))[0]:08X}"


class Arithmetic(unittest.TestCase):
    def results(self, kind, register, cases):
        """Each case: an instruction with X for its result, and what that is."""
        for text, expected in cases:
            with self.subTest(text):
                dtype = {"u": np.uint32, "s": np.int32, "f": np.float32, "d": np.float64, "l": np.int64}[kind]
                store = {"u": "u32", "s": "s32", "f": "f32", "d": "f64", "l": "s64"}[kind]
                found = one(f"{text.replace('X', register)}; st.global.{store} [%rd1], {register};", dtype)
                np.testing.assert_equal(found, dtype(expected))

    def test_of_integers(self):
        self.results("s", "%r2", [
            ("add.s32 X, 2147483647, 1", -2147483648),
            ("sub.s32 X, 3, 5", -2),
            ("mul.lo.s32 X, 65537, 65537", 131073),
            ("mul.hi.s32 X, -2, 3", -1),
            ("mad.lo.s32 X, 3, -4, 5", -7),
            ("div.s32 X, -7, 2", -3),
            ("div.s32 X, 7, -2", -3),
            ("rem.s32 X, -7, 2", -1),
            ("rem.s32 X, 7, -2", 1),
            ("shr.s32 X, -8, 1", -4),
            ("shr.s32 X, -8, 40", -1),
            ("neg.s32 X, 5", -5),
            ("min.s32 X, -1, 1", -1),
            ("max.s32 X, -1, 1", 1),
        ])
        self.results("u", "%r2", [
            ("div.u32 X, 4294967295, 2", 2147483647),
            ("rem.u32 X, 4294967295, 10", 5),
            ("mul.hi.u32 X, 4294967295, 4294967295", 4294967294),
            ("max.u32 X, -1, 1", 4294967295),
            ("shr.u32 X, -8, 1", 2147483644),
            ("shr.u32 X, -8, 32", 0),
            ("shl.b32 X, 3, 31", 2147483648),
            ("shl.b32 X, 3, 32", 0),
            ("and.b32 X, 12, 10", 8),
            ("or.b32 X, 12, 10", 14),
            ("xor.b32 X, 12, 10", 6),
            ("not.b32 X, 0", 4294967295),
            ("bfi.b32 X, 5, 4294967295, 8, 4", 0xFFFFF5FF),
        ])
        self.results("l", "%rd3", [("mul.wide.s32 X, -2147483648, 2", -4294967296), ("shl.b64 X, 1, 40", 1 << 40)])

    def test_of_floats_rounds_once(self):
        # (1 + 2⁻¹²)² is 1 + 2⁻¹¹ + 2⁻²⁴, whose last bit is lost where the product is rounded.
        one_and = bits(1 + 2**-12)
        self.results("f", "%f1", [
            ("add.f32 X, 0f4B800000, 0f3F800000", 16777216),
            (f"mul.f32 X, {one_and}, {one_and}", 1 + 2**-11),
            (f"fma.rn.f32 X, {one_and}, {one_and}, {bits(-1 - 2**-11)}", 2**-24),
            # A tie but for 2⁻⁶⁰: in double it would be rounded to a tie first.
            (f"fma.rn.f32 X, {bits(1 + 2**-23)}, {bits(2**-24)}, {bits(1)}", 1 + 2**-23),
            (f"fma.rn.f32 X, {bits(2**-30)}, {bits(-2**-30)}, {bits(1 + 2**-23)}", 1 + 2**-23),
        ])
        one_and = "0d3FF0000000000001"
        self.results("d", "%fd1", [(f"fma.rn.f64 X, {one_and}, {one_and}, 0dBFF0000000000002", 2.0**-104)])

    def test_of_fused_multiply_adds_agrees_with_exact_fractions(self):
        from fractions import Fraction

        numbers = np.random.default_rng(1).standard_normal((3, 256)).astype(np.float32)
        numbers[2] = -(numbers[0] * numbers[1]) * (1 + np.float32(2**-20))
        found = execute("""
            ld.param.u64 %rd3, [kernel_param_1]; mul.wide.u32 %rd2, %r1, 4; add.s64 %rd3, %rd3, %rd2;
            ld.global.f32 %f1, [%rd3]; ld.global.f32 %f2, [%rd3+1024]; ld.global.f32 %f3, [%rd3+2048];
            fma.rn.f32 %f1, %f1, %f2, %f3; st.global.f32 [%rd1], %f1;""", np.float32, threads=256, given=numbers)
        for a, b, c, rounded in zip(*numbers.astype(float), found.astype(float)):
            exact = Fraction(a) * Fraction(b) + Fraction(c)
            neighbours = [float(np.nextafter(np.float32(rounded), np.float32(to))) for to in (-np.inf, np.inf)]
            self.assertLessEqual(abs(Fraction(rounded) - exact), min(abs(Fraction(n) - exact) for n in neighbours))

    def test_of_conversions(self):
        self.results("u", "%r2", [
            ("cvt.rna.tf32.f32 X, 0f3F801000", 0x3F802000),  # a tie goes away from zero
            ("cvt.rna.tf32.f32 X, 0fBF801000", 0xBF802000),
            ("cvt.rna.tf32.f32 X, 0f3F800FFF", 0x3F800000),
            ("cvt.rna.tf32.f32 X, 0f7F800000", 0x7F800000),
        ])
        low_half = "mov.b32 %r3, 65535; cvt.{0}32.{0}16 X, %r3"
        self.results("s", "%r2", [(low_half.format("s"), -1), (low_half.format("u"), 65535)])
        self.results("l", "%rd3", [("mov.u64 %rd4, 4294967295; cvt.s64.s32 X, %rd4", -1)])
        sixteen = "cvt.{0}.f32 %rs1, {1}; cvt.u32.u16 X, %rs1"
        self.results("u", "%r2", [
            (sixteen.format("rn.bf16", "0f3F808000"), 0x3F80),  # a tie goes to the even neighbour
            (sixteen.format("rn.bf16", "0f3F818000"), 0x3F82),
            (sixteen.format("rn.bf16", "0f7F7FFFFF"), 0x7F80),
            (sixteen.format("rn.f16", bits(1 + 2**-11)), 0x3C00),
            (sixteen.format("rn.f16", bits(65520)), 0x7C00),
            (sixteen.format("rn.f16", bits(2**-24)), 0x0001),
        ])
        self.results("f", "%f1", [
            ("mov.u16 %rs1, 15360; cvt.f32.f16 X, %rs1", 1),
            ("cvt.rn.f32.f64 X, 0d3FF0000010000000", 1),
        ])

    def test_of_predicates(self):
        nan = "0f7FC00000"
        for compare, expected in (
            ("lt.s32 %p1, -1, 1", 1),
            ("lt.u32 %p1, -1, 1", 0),
            ("ge.s64 %p1, -5, -5", 1),
            ("ne.s16 %p1, 1, 2", 1),
            (f"gt.f32 %p1, {nan}, {nan}", 0),
            (f"eq.f32 %p1, {nan}, {nan}", 0),
        ):
            with self.subTest(compare):
                self.assertEqual(one(f"setp.{compare}; selp.b32 %r2, 1, 0, %p1; st.global.u32 [%rd1], %r2;"), expected)

    def test_packs_and_unpacks(self):
        self.assertEqual(one("""mov.u16 %rs1, 1; mov.u16 %rs2, 2; mov.b32 %r2, {%rs1, %rs2}; mov.b32 {%rs3, %rs4}, %r2;
            mov.b32 %r3, {%rs4, %rs3}; xor.b32 %r2, %r2, %r3; st.global.u32 [%rd1], %r2;"""), 0x00030003)
        self.assertEqual(one("mov.b64 {%r2, %r3}, 0d4000000000000000; st.global.u32 [%rd1], %r3;"), 1 << 30)


class Control(unittest.TestCase):
    def test_threads_go_their_own_ways_and_meet_again(self):
        # Thread t adds up 1 to t; odd threads double it; then all meet at a barrier.
        found = execute("""
            mov.u32 %r2, 0; mov.u32 %r3, %r1; setp.eq.s32 %p1, %r3, 0; @%p1 bra $L_end;
            $L_loop: add.s32 %r2, %r2, %r3; sub.s32 %r3, %r3, 1; setp.ne.s32 %p1, %r3, 0; @%p1 bra $L_loop;
            $L_end: and.b32 %r4, %r1, 1; setp.eq.s32 %p2, %r4, 1; @%p2 shl.b32 %r2, %r2, 1;
            bar.sync 0; st.global.u32 [%rd1], %r2;""", threads=64)
        threads = np.arange(64)
        np.testing.assert_array_equal(found, threads * (threads + 1) // 2 * (1 + threads % 2))

    def test_calls_are_inlined(self):
        callee = """
            .func add_to(.param .b64 add_to_param_0)
            {
              .reg .b32 %r<9>; .reg .b64 %rd<9>; .reg .pred %p<2>;
              ld.param.u64 %rd1, [add_to_param_0];
              ld.global.u32 %r1, [%rd1];
              setp.lt.u32 %p1, %r1, 7; @%p1 bra $L__BB9_1; ret;
              $L__BB9_1: add.s32 %r1, %r1, 100; st.global.u32 [%rd1], %r1; ret;
            }
            """.replace("\n            ", "\n")
        call = "{ .param .b64 param0; st.param.b64 [param0+0], %rd1; call.uni add_to, ( param0 ); }"
        found = execute(f"st.global.u32 [%rd1], %r1; {call} {call}", functions=callee)
        np.testing.assert_array_equal(found, [t + 100 if t < 7 else t for t in range(32)])

    def test_blocks_wait_for_each_other(self):
        waits = """
            mov.u32 %r2, %ctaid.x; ld.param.u64 %rd3, [kernel_param_1];
            atom.add.release.gpu.u32 %r3, [%rd3], {0};
            $L_wait: ld.acquire.gpu.u32 %r4, [%rd3]; setp.lt.u32 %p1, %r4, 96; @%p1 bra $L_wait;
            st.global.u32 [%rd1], %r4;"""
        self.assertEqual(one(waits.format(1), blocks=3, given=np.zeros(1, np.uint32)), 96)
        with self.assertRaisesRegex(PtxError, "3 blocks wait for ever"):
            one(waits.format(0), blocks=3, given=np.zeros(1, np.uint32))


class Objections(unittest.TestCase):
    def refused(self, message, body, **options):
        with self.assertRaisesRegex(PtxError, message):
            execute(body, **options)

    def test_to_what_it_does_not_know(self):
        self.refused("kernel: sqrt.approx.f32 %f1, %f2: this instruction is not known", "sqrt.approx.f32 %f1, %f2;")
        self.refused("add.ftz.f32 %f1, %f1, %f1: this instruction is not known", "add.ftz.f32 %f1, %f1, %f1;")
        self.refused("mov.u32 %r2, %clock: .*no register that is known", "mov.u32 %r2, %clock;")
        self.refused("mov.u32 %r2, nowhere: nowhere is no operand", "mov.u32 %r2, nowhere;")
        self.refused("only barrier 0 with all threads", "bar.sync 1;")
        self.refused("%rs1 is no register of type u32", "mov.u32 %rs1, 1;")

    def test_to_registers_that_nobody_has_written(self):
        self.refused("add.s32 %r2, %r3, 1: nobody has written %r3", "add.s32 %r2, %r3, 1;")
        self.refused("nobody has written %r3", """setp.lt.u32 %p1, %r1, 5; @%p1 mov.u32 %r3, 1;
            add.s32 %r2, %r3, 1;""")

    def test_to_memory(self):
        def refused(message, body):
            self.refused(message, f"ld.param.u64 %rd3, [kernel_param_1]; {body}", given=np.arange(4, dtype=np.uint32))

        refused("ld.global.u32.*nothing is allocated there", "ld.global.u32 %r2, [%rd3+16];")
        refused("st.global.u32.*nothing is allocated there", "st.global.u32 [%rd3+-4], %r1;")
        refused("is no multiple of 16", "ld.global.v4.u32 {%r2,%r3,%r4,%r5}, [%rd3+4];")
        refused("ld.global.u32.*nobody has written it", "ld.global.u32 %r2, [%rd1];")
        refused("shared address .*nobody has written it", "ld.shared.u32 %r2, [tile];")
        refused("shared address .*nothing is allocated", "st.shared.u32 [tile+1024], %r1;")
        refused("shared address .*nothing is allocated", "st.shared.u32 [dynamic+64], %r1;")
        refused("global address 0x0: nothing is allocated", "mov.u64 %rd3, 0; ld.global.u32 %r2, [%rd3];")
        refused("generic address 0x0: nothing is allocated", "mov.u64 %rd3, 0; ld.u32 %r2, [%rd3];")

    def test_to_threads_that_do_not_come(self):
        def refused(message, body, those=5, threads=32):
            self.refused(message, f"setp.lt.u32 %p1, %r1, {those}; @%p1 bra $L_end; {body} $L_end: ", threads=threads)

        refused("bar.sync 0: some lanes of a warp are elsewhere", "bar.sync 0;")
        refused("bar.sync 0: only 32 of the 64 threads reach it", "bar.sync 0;", those=32, threads=64)
        refused("bar.warp.sync -1: some lanes", "bar.warp.sync -1;")
        refused("shfl.*some lanes", "shfl.sync.bfly.b32 %r2|%p2, %r1, 1, 31, -1;")
        refused("ldmatrix.*some lanes", "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r2,%r3,%r4,%r5}, [tile];")

    def test_to_races(self):
        def run(body):
            execute(body, threads=64)

        def refused(message, body):
            self.refused(f"race: {message}", body, threads=64)

        # Each warp reads what the other has written, then writes there.
        body = """mov.u32 %r2, tile; shl.b32 %r3, %r1, 2; add.s32 %r4, %r2, %r3; st.shared.u32 [%r4], %r1; {}
            xor.b32 %r3, %r3, 128; add.s32 %r4, %r2, %r3; ld.shared.u32 %r5, [%r4]; {} st.shared.u32 [%r4], %r5;"""
        run(body.format("bar.sync 0;", "bar.sync 0;"))
        refused("reads shared address 0x1080, which warp 1 wrote", body.format("", "bar.sync 0;"))
        refused("writes shared address 0x1000, which warp 1 writes", "st.shared.u32 [tile], %r1;")
        # Both read what one of them writes again.
        body = """setp.eq.s32 %p1, %r1, 0; @%p1 st.shared.u32 [tile], %r1; bar.sync 0; ld.shared.u32 %r2, [tile]; {}
            @%p1 st.shared.u32 [tile], %r1;"""
        run(body.format("bar.sync 0;"))
        refused("writes shared address 0x1000, which several warps read", body.format(""))

    def test_to_wrong_launches_and_traps(self):
        module = Module(MODULE.format(functions="", threads=32, registers=REGISTERS, body=""))
        with self.assertRaisesRegex(PtxError, r"parameters of \[8, 8\] bytes, not of \[8, 4\]"):
            Device(1 << 12).launch(Kernel(module.kernel("kernel")), (1,), 32, [bytes(8), bytes(4)])
        self.refused("trap: a thread came here", "trap;")

    def test_what_nobody_has_written_is_nan_for_the_host(self):
        self.assertTrue(np.isnan(execute("", np.float32)).all())


class Warp(unittest.TestCase):
    def test_lanes_exchange_values(self):
        found = execute("shfl.sync.bfly.b32 %r2|%p1, %r1, 5, 31, -1; st.global.u32 [%rd1], %r2;", threads=64)
        np.testing.assert_array_equal(found, np.arange(64) ^ 5)

    # Four matrices of 8×8; the value of row r and column c of matrix i is 64i + 8r + c, and row r lies at
    # 16·((5·(8i + r)) % 32), so that rows are not neighbours.
    ROWS = np.zeros((32, 8), np.uint16)
    ROWS[[5 * row % 32 for row in range(32)]] = np.arange(256).reshape(32, 8)
    LDMATRIX = """
        ld.param.u64 %rd3, [kernel_param_1]; mul.wide.u32 %rd4, %r1, 16; add.s64 %rd3, %rd3, %rd4;
        ld.global.v4.u32 {{%r2,%r3,%r4,%r5}}, [%rd3]; mov.u32 %r6, tile; shl.b32 %r7, %r1, 4; add.s32 %r8, %r6, %r7;
        st.shared.v4.u32 [%r8], {{%r2,%r3,%r4,%r5}}; bar.sync 0;
        mul.lo.s32 %r7, %r1, 5; and.b32 %r7, %r7, 31; shl.b32 %r7, %r7, 4; add.s32 %r8, %r6, %r7;
        ldmatrix.sync.aligned.m8n8.x4{0}.shared.b16 {{%r10,%r11,%r12,%r13}}, [%r8];
        st.global.v4.u32 [%rd1], {{%r10,%r11,%r12,%r13}};"""

    def test_loads_matrices(self):
        # "Warp-level matrix load instruction: ldmatrix": thread 0 has elements 0 and 1 of row 0, thread 1
        # elements 2 and 3, thread 4 begins row 1.
        found = execute(self.LDMATRIX.format(""), "(4,2)u2", given=self.ROWS)
        for thread in range(32):
            for matrix in range(4):
                row, column = thread // 4, thread % 4 * 2
                first = 64 * matrix + 8 * row + column
                self.assertEqual(list(found[thread][matrix]), [first, first + 1])

    def test_loads_transposed_matrices(self):
        found = execute(self.LDMATRIX.format(".trans"), "(4,2)u2", given=self.ROWS)
        for thread in range(32):
            for matrix in range(4):
                row, column = thread % 4 * 2, thread // 4
                first = 64 * matrix + 8 * row + column
                self.assertEqual(list(found[thread][matrix]), [first, first + 8])

    def multiply(self, instruction, a, b, c):
        """The fragments of D, from those of the others, lane by lane."""
        a, b, c = (lanes.view(np.uint32) for lanes in (a, b, c))
        registers = [f"%r{i}" for i in range(10, 10 + a.shape[1])], [f"%r{i}" for i in range(20, 20 + b.shape[1])]
        vectors = ["{" + ",".join(names) + "}" for names in (*registers, [f"%f{i}" for i in range(4)])]
        loads = "ld.param.u64 %rd3, [kernel_param_1]; mul.wide.u32 %rd4, %r1, 40; add.s64 %rd3, %rd3, %rd4;"
        words = np.concatenate([a, b, c], axis=1)
        for i, name in enumerate([*registers[0], *registers[1], *(f"%f{i}" for i in range(4))]):
            loads += f"ld.global.{'f32' if name[1] == 'f' else 'u32'} {name}, [%rd3+{4 * i}];"
        text = f"{loads} mma.sync.aligned.{instruction} {vectors[2]}, {vectors[0]}, {vectors[1]}, {vectors[2]};" \
               f"st.global.v4.f32 [%rd1], {vectors[2]};"
        return execute(text, "(4,)f4", given=words)

    def check_product(self, instruction, depth, encode, a_place, b_place):
        """The figures of the manual say for every value of a matrix which thread has it, and in which element."""
        rng = np.random.default_rng(1)
        a, b, c = (rng.integers(-8, 9, shape) for shape in ((16, depth), (depth, 8), (16, 8)))
        elements = 8 if depth == 16 else 4
        a_lanes, b_lanes, c_lanes = np.zeros((32, elements)), np.zeros((32, elements // 2)), np.zeros((32, 4))
        for (row, column), value in np.ndenumerate(a):
            a_lanes[a_place(row, column)] = value
        for (row, column), value in np.ndenumerate(b):
            b_lanes[b_place(row, column)] = value
        for (row, column), value in np.ndenumerate(c):
            c_lanes[row % 8 * 4 + column // 2, row // 8 * 2 + column % 2] = value
        d = self.multiply(instruction, encode(a_lanes), encode(b_lanes), c_lanes.astype(np.float32))
        for (row, column), value in np.ndenumerate(a @ b + c):
            self.assertEqual(d[row % 8 * 4 + column // 2, row // 8 * 2 + column % 2], value, (row, column))

    def test_multiplies_matrices_of_16_bits(self):
        # "MMA .m16n8k16 fragment layout for matrix A with .f16 / .bf16 type": row 0 is T0:{a0,a1} … T3:{a0,a1},
        # T0:{a4,a5} …; row 8 T0:{a2,a3} …, T0:{a6,a7} …. Column 0 of matrix B is T0:{b0,b1} …, T0:{b2,b3} ….
        def a_place(row, column):
            return row % 8 * 4 + column % 8 // 2, column // 8 * 4 + row // 8 * 2 + column % 2

        def b_place(row, column):
            return column * 4 + row % 8 // 2, row // 8 * 2 + row % 2

        for name, encode in (("bf16", lambda x: (x.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)),
                             ("f16", lambda x: x.astype(np.float16))):
            with self.subTest(name):
                self.check_product(f"m16n8k16.row.col.f32.{name}.{name}.f32", 16, encode, a_place, b_place)

    def test_multiplies_matrices_of_tf32(self):
        # ".m16n8k8 fragment layout for matrix A with .tf32 type": row 0 is T0:a0 … T3:a0, T0:a2 …; row 8 T0:a1
        # …, T0:a3 ….
        self.check_product("m16n8k8.row.col.f32.tf32.tf32.f32", 8, lambda x: x.astype(np.float32),
                           lambda row, column: (row % 8 * 4 + column % 4, column // 4 * 2 + row // 8),
                           lambda row, column: (column * 4 + row % 4, row // 4))

    def test_objects_to_operands_that_are_no_tf32(self):
        with self.assertRaisesRegex(PtxError, "not rounded to tf32"):
            self.multiply("m16n8k8.row.col.f32.tf32.tf32.f32", np.full((32, 4), 1 + 2**-12, np.float32),
                          np.ones((32, 2), np.float32), np.zeros((32, 4), np.float32))


class AsynchronousCopies(unittest.TestCase):
    GIVEN = np.arange(256, dtype=np.uint32)
    BEGIN = """
        ld.param.u64 %rd3, [kernel_param_1]; mul.wide.u32 %rd4, %r1, 16; add.s64 %rd3, %rd3, %rd4;
        mov.u32 %r2, tile; shl.b32 %r3, %r1, 4; add.s32 %r2, %r2, %r3;
        cp.async.cg.shared.global [%r2], [%rd3], 16, {0}; cp.async.commit_group;
        cp.async.cg.shared.global [%r2+512], [%rd3+512], 16, 16; cp.async.commit_group;
        """
    END = "ld.shared.u32 %r5, [%r2+{}]; st.global.u32 [%rd1], %r5;"

    def run_copies(self, middle, end_at=0, size=16):
        return execute(self.BEGIN.format(size) + middle + self.END.format(end_at), given=self.GIVEN)

    def test_arrive_at_the_wait(self):
        np.testing.assert_array_equal(self.run_copies("cp.async.wait_group 1;"), np.arange(32) * 4)
        np.testing.assert_array_equal(self.run_copies("cp.async.wait_group 0;", 512), 128 + np.arange(32) * 4)

    def test_fill_with_zeros(self):
        np.testing.assert_array_equal(self.run_copies("cp.async.wait_group 0;", 4, size=8), np.arange(32) * 4 + 1)
        np.testing.assert_array_equal(self.run_copies("cp.async.wait_group 0;", 8, size=8), np.zeros(32))

    def test_take_what_the_source_holds_at_the_wait(self):
        found = self.run_copies("st.global.u32 [%rd3], 7; cp.async.wait_group 1;")
        np.testing.assert_array_equal(found, np.full(32, 7))

    def test_are_not_there_before_it(self):
        for middle, end in (("", 0), ("bar.sync 0;", 0), ("cp.async.wait_group 2;", 0), ("cp.async.wait_group 1;", 512)):
            with self.subTest(middle), self.assertRaisesRegex(PtxError, "ld.shared.u32 .*a copy to it is still"):
                self.run_copies(middle, end)
        with self.assertRaisesRegex(PtxError, "st.shared.u32 .*a copy to it is still"):
            self.run_copies("st.shared.u32 [%r2], 1;")

    def test_must_be_committed(self):
        uncommitted = self.BEGIN.format(16).replace("cp.async.commit_group;", "") + "cp.async.wait_group 0;"
        with self.assertRaisesRegex(PtxError, "a copy to it is still under way"):
            execute(uncommitted + self.END.format(0), given=self.GIVEN)

    def test_reach_other_warps_behind_a_barrier(self):
        body = self.BEGIN.format(16).replace("cp.async.cg.shared.global [%r2+512], [%rd3+512], 16, 16;", "") + """
            cp.async.wait_group 0; {} mov.u32 %r2, tile; xor.b32 %r3, %r3, 512; add.s32 %r2, %r2, %r3;"""
        found = execute(body.format("bar.sync 0;") + self.END.format(0), threads=64, given=self.GIVEN)
        np.testing.assert_array_equal(found, (np.arange(64) ^ 32) * 4)
        with self.assertRaisesRegex(PtxError, "race: reads shared address"):
            execute(body.format("") + self.END.format(0), threads=64, given=self.GIVEN)

    def test_stay_inside(self):
        with self.assertRaisesRegex(PtxError, "cp.async.*shared address 0x1.00: nothing is allocated"):
            execute(self.BEGIN.format(16).replace("+512]", "+1024]", 1), given=self.GIVEN)
        with self.assertRaisesRegex(PtxError, "is no multiple of 16"):
            execute(self.BEGIN.format(16).replace("[%rd3]", "[%rd3+4]"), given=self.GIVEN)
        with self.assertRaisesRegex(PtxError, "global address .*nothing is allocated"):
            execute(self.BEGIN.format(16) + "cp.async.wait_group 0;", given=self.GIVEN[:128])


def in_rows_of_128_bytes(values):
    """64 values of 2 bytes in each row, whose chunks of 16 bytes are swizzled as the manual's figure shows."""
    rows = np.asarray(values, np.float16).reshape(-1, 8, 8)  # row, chunk, value
    image = np.zeros_like(rows)
    for row, chunk in np.ndindex(rows.shape[:2]):
        image[row, chunk ^ row % 8] = rows[row, chunk]
    return image.reshape(-1, 64)


class Warpgroup(unittest.TestCase):
    """Products of two tiles of 64 rows of 128 bytes, A's and then B's, which lie at `dynamic`."""

    COPY = "".join(
        f"ld.global.v4.u32 {{%r2,%r3,%r4,%r5}}, [%rd3+{at}]; st.shared.v4.u32 [%r6+{at}], {{%r2,%r3,%r4,%r5}};"
        for at in range(0, 128, 16)
    )
    D = ",".join(f"%f{i}" for i in range(32))
    BEGIN = f"""
        ld.param.u64 %rd3, [kernel_param_1]; mul.wide.u32 %rd4, %r1, 128; add.s64 %rd3, %rd3, %rd4;
        mov.u32 %r7, dynamic; shl.b32 %r8, %r1, 7; add.s32 %r6, %r7, %r8;
        {COPY}
        fence.proxy.async.shared::cta; bar.sync 0;
        shr.u32 %r8, %r7, 4; cvt.u64.u32 %rd5, %r8;
        """
    # Rows of eight lie 1024 bytes apart; swizzled by 128 bytes.
    DESCRIPTORS = "add.s64 %rd6, %rd5, {}; add.s64 %rd7, %rd6, 512;"
    MULTIPLY = f"""
        {{{{ .reg .pred p; setp.ne.b32 p, {{}}, 0;
        wgmma.mma_async.sync.aligned.m64n64k16.f32.f16.f16 {{{{{D}}}}}, %rd6, %rd7, p, 1, 1, {{}}; }}}}"""
    FENCE, COMMIT = "wgmma.fence.sync.aligned;", "wgmma.commit_group.sync.aligned;"
    WAIT = "wgmma.wait_group.sync.aligned 0;"
    END = "".join(f"st.global.f32 [%rd1+{4 * i}], %f{i};" for i in range(32))

    def setUp(self):
        generator = np.random.default_rng(0)
        self.a, self.b = generator.integers(-4, 5, (2, 64, 64)).astype(np.float64)

    def run_products(self, body):
        given = np.concatenate([in_rows_of_128_bytes(self.a), in_rows_of_128_bytes(self.b)])
        found = execute(self.BEGIN + body, "V128", threads=128, given=given, shared_bytes=16384)
        registers_of = np.frombuffer(found.tobytes(), np.float32).reshape(128, 32)
        d = np.zeros((64, 64))
        for row, column in np.ndindex(d.shape):
            warp, (half, group) = row // 16, divmod(row % 16, 8)
            lane, register = 4 * group + column % 8 // 2, column // 8 * 4 + 2 * half + column % 2
            d[row, column] = registers_of[32 * warp + lane, register]
        return d

    def descriptors(self, bytes_further):
        return self.DESCRIPTORS.format(1 << 62 | 64 << 32 | bytes_further // 16)

    def test_multiplies_factors_whose_rows_hold_k(self):
        body = self.FENCE + self.descriptors(32) + self.MULTIPLY.format(0, "0, 0") + self.descriptors(96)
        body += self.MULTIPLY.format(1, "0, 0") + self.COMMIT + self.WAIT + self.END
        k = [*range(16, 32), *range(48, 64)]
        np.testing.assert_array_equal(self.run_products(body), self.a[:, k] @ self.b[:, k].T)

    def test_multiplies_factors_whose_columns_hold_k(self):
        body = self.FENCE + self.descriptors(16 * 128) + self.MULTIPLY.format(0, "1, 1") + self.COMMIT + self.WAIT
        np.testing.assert_array_equal(self.run_products(body + self.END), self.a[16:32].T @ self.b[16:32])
        body = self.FENCE + self.descriptors(0) + self.MULTIPLY.format(0, "1, 0") + self.COMMIT + self.WAIT
        np.testing.assert_array_equal(self.run_products(body + self.END), self.a[:16].T @ self.b[:, :16].T)

    def test_objects(self):
        multiply = self.descriptors(0) + self.MULTIPLY.format(0, "0, 0")
        for body, objection in (
            (multiply + self.COMMIT + self.WAIT, "no wgmma.fence"),
            (self.FENCE + multiply + self.COMMIT + self.END, "st.global.f32 .*nobody has written %f0"),
            (self.FENCE + multiply + self.WAIT + self.END, "st.global.f32 .*nobody has written %f0"),
            (self.FENCE + multiply, "nobody has waited"),
            (self.FENCE + self.descriptors(0) + self.MULTIPLY.format(1, "0, 0"), "nobody has written %f0"),
            (self.FENCE + multiply.replace("%rd6, %rd5", "%rd6, %rd3"), "the lanes of a warp have different factors"),
            (self.FENCE + self.DESCRIPTORS.format(64 << 32) + multiply[multiply.index("{") :], "only swizzled rows"),
            (self.FENCE + f"setp.gt.u32 %p1, %r1, 7; @%p1 bra $end; {multiply} $end:", "some lanes"),
        ):
            with self.subTest(body[-200:]), self.assertRaisesRegex(PtxError, objection):
                self.run_products(body)


class LoadsOfBoxes(unittest.TestCase):
    """Of a tensor of 3×5×64 values whose map is given before it: 2×2 rows of it, to `dynamic`."""

    SIZE, BOX = (64, 5, 3), (64, 2, 2)
    BEGIN = """
        ld.param.u64 %rd3, [kernel_param_1]; mov.u32 %r2, dynamic; add.s32 %r3, %r2, 1024;
        add.s64 %rd4, %rd3, 128; st.global.u64 [%rd3], %rd4;
        setp.ne.u32 %p1, %r1, 0;
        @%p1 bra $made;
        """
    INIT, FENCE = "mbarrier.init.shared::cta.b64 [%r3], 1;", "fence.mbarrier_init.release.cluster;"
    MEET, LEAVE = "$made: bar.sync 0;", "@%p1 bra $loaded;"
    ANNOUNCE = "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r3], 512;"
    LOAD = (
        "cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes "
        "[%r2], [%rd3, {AT}], [%r3];"
    )
    LOADED = "$loaded:"
    WAIT = "{ .reg .pred p; mbarrier.try_wait.parity.shared::cta.b64 p, [%r3], 0; selp.u32 %r9, 1, 0, p; }"
    END = """
        shl.b32 %r4, %r1, 4; add.s32 %r4, %r4, %r2; ld.shared.v2.u64 {%rd5,%rd6}, [%r4];
        st.global.v2.u64 [%rd1], {%rd5,%rd6};
        """

    def setUp(self):
        self.tensor = np.arange(1, 961, dtype=np.float16).reshape(3, 5, 64)

    def run_load(self, x=0, y=0, z=0, threads=32, **instead):
        """`instead` has other texts for parts of the kernel."""
        parts = ("BEGIN", "INIT", "FENCE", "MEET", "LEAVE", "ANNOUNCE", "LOAD", "LOADED", "WAIT", "END")
        body = "".join(instead.get(part, getattr(self, part)) for part in parts).replace("AT", f"{x}, {y}, {z}")
        box = tensor_map(0, self.SIZE, self.BOX)
        given = np.frombuffer(box + self.tensor.tobytes(), np.uint8)
        found = execute(body, "V16", threads=threads, given=given, shared_bytes=1024 + 8)
        return np.frombuffer(found.tobytes(), np.float16).reshape(4, 64)

    def test_swizzle_their_rows(self):
        expected = in_rows_of_128_bytes(self.tensor[1:3, 2:4].reshape(4, 64))
        np.testing.assert_array_equal(self.run_load(0, 2, 1), expected)

    def test_have_zeros_outside_of_the_tensor(self):
        expected = np.zeros((2, 2, 64), np.float16)
        expected[0, 1, 2:] = self.tensor[2, 0, :62]
        np.testing.assert_array_equal(self.run_load(-2, -1, 2), in_rows_of_128_bytes(expected.reshape(4, 64)))

    def test_need_their_barrier(self):
        for part, objection in (
            ("INIT", "there is no mbarrier"),
            ("FENCE", "does not see the mbarrier"),
            ("ANNOUNCE", "threads wait for ever"),
            ("LOAD", "threads wait for ever"),
            ("WAIT", "ld.shared.* a copy to it is still under way"),
        ):
            with self.subTest(part), self.assertRaisesRegex(PtxError, objection):
                self.run_load(**{part: ""})
        with self.assertRaisesRegex(PtxError, "race: thread 0 makes the mbarrier"):
            self.run_load(threads=64, MEET="$made:")

    def test_must_be_waited_for(self):
        with self.assertRaisesRegex(PtxError, "nobody has waited for Load"):
            self.run_load(WAIT="", END="")

    def test_arrive_once(self):
        with self.assertRaisesRegex(PtxError, "copy to it is still under way"):
            self.run_load(LOAD=2 * self.LOAD)
        with self.assertRaisesRegex(PtxError, "there is an mbarrier already"):
            self.run_load(INIT=2 * self.INIT)


if __name__ == "__main__":
    unittest.main()
