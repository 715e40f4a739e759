import { afterAll, beforeAll, expect, test } from "vitest";
import { fromUtf8, utf8 } from "../../src/common/bytes.ts";
import { ElfFile } from "../../src/debuginfo/elf.ts";
import { loadCore } from "../../src/env/node/core.ts";
import { distFolder } from "../../src/env/node/dist.ts";
import { gradeWorkers } from "../../src/env/node/gradeWorker.ts";
import { runGrade } from "../../src/grade/gradeRun.ts";
import { gradesJson, scoreOf } from "../../src/grade/score.ts";
import type { GradeBuild, GradeResult } from "../../src/grade/types.ts";
import { gradeVerdict } from "../../src/grade/verdict.ts";
import { toJUnit } from "../../src/lab/junit.ts";
import { declaredTests, testNames } from "../../src/lab/programTests.ts";
import { build, catalog, closeToolchains } from "../support/lab.ts";

/** A program that a trap kills, and one whose system call panics the kernel. */
const programs = {
	"user/nullread.c":
		'#include "kernel/types.h"\n#include "user/user.h"\nint main(void)\n{\n  printf("reading\\n");\n  *(volatile int*)0x3000000000 = 1;\n  exit(0);\n}\n',
	"user/askuptime.c":
		'#include "kernel/types.h"\n#include "user/user.h"\nint main(void)\n{\n  printf("panic: only a word\\n");\n  printf("%d\\n", uptime());\n  exit(0);\n}\n',
};

/** A table of the other shape, twice. */
const table = (name: string, tests: readonly string[]) =>
	`struct test ${name}[] = {\n${tests.map((each) => `  { t, "${each}" },\n`).join("")}  { 0, 0 },\n};\n`;
const twoTables = `#include "kernel/types.h"
#include "user/user.h"
struct test { void (*f)(char *); char *s; };
static void t(char *s) { printf("%s\\n", s); }
${table("quick", ["a", "b", "c", "d", "e"])}${table("slow", ["f1", "g1", "h1", "i1", "j1"])}
int main(void)
{
  for(struct test *p = quick; p->s; p++)
    p->f(p->s);
  for(struct test *p = slow; p->s; p++)
    p->f(p->s);
  exit(0);
}
`;

let parts: GradeBuild;

beforeAll(async () => {
	const files = await catalog.workspace(undefined);
	for (const [path, text] of Object.entries(programs)) files.set(path, utf8(text));
	files.set("user/twotables.c", utf8(twoTables));
	const edit = (path: string, from: string, to: string) => {
		const text = fromUtf8(files.get(path) as Uint8Array);
		expect(text).toContain(from);
		files.set(path, utf8(text.replace(from, to)));
	};
	edit("Makefile", "\t$U/_cat\\\n", "\t$U/_cat\\\n\t$U/_nullread\\\n\t$U/_askuptime\\\n\t$U/_twotables\\\n");
	edit("kernel/sysproc.c", "uint now = ticks;", 'uint now = ticks;\n  panic("no time");');
	const output = await build(files);
	const { kernel, disk, programs: built, wish } = output;
	const machine = { translator: true };
	parts = { core: await loadCore(), kernel, disk, programs: built, wish, machine, sources: new Map() };
});
afterAll(closeToolchains);

async function grade(body: string, tests?: readonly string[]) {
	const text = `import re, subprocess\nfrom gradelib import *\n\nr = Runner(save("xv6.out"))\n\n${body}\nrun_tests()\n`;
	const job = { script: { name: "grade-lab-own", text, files: new Map([["time.txt", "4\n"]]) } };
	const report = await runGrade(gradeWorkers(distFolder()), {
		...job,
		run: { build: parts, ...(tests ? { tests } : {}) },
	});
	const by = (id: string) => report.results.find(({ test }) => test.id === id) as GradeResult;
	return { ...report, by };
}

test("a script's tests run on the machine: what it types, what it waits for, what it looks for", async () => {
	const { results, by, failure, tests } = await grade(`
@test(5, "echo")
def test_echo():
    r.run_qemu(shell_script(['echo hello', 'echo OK']))
    r.match('^hello$', '^OK$', no=['failed$'])

@test(5, "the disk lives on")
def test_disk():
    r.run_qemu(shell_script(['echo kept > f']))
    r.run_qemu(shell_script(['cat f']))
    r.match('^kept$')

@test(5, "nested shell")
def test_nested():
    r.run_qemu(shell_script(['echo echo in the file > s', 'sh < s', 'echo DONE'], 'DONE'))
    assert_equal(len(re.findall('in the file', r.qemu.output)), 2)

@test(5, "breakpoint")
def test_breakpoint():
    r.run_qemu(shell_script(['echo FAIL', 'echo FAIL']), stop_breakpoint('sys_fork'))
    r.match(no=['^FAIL'])

@test(5, "no such symbol")
def test_symbol():
    r.run_qemu(shell_script(['echo']), stop_breakpoint('sys_nothing'))

@test(10, "wrong")
def test_wrong():
    r.run_qemu(shell_script(['echo one']))
    r.match('^two$')

@test(7, "its child", parent=test_wrong)
def test_child():
    r.match('^one$')

@test(1, "time")
def test_time():
    check_time()

@test(3, "answers")
def test_answers():
    check_answers("answers-own.txt")

@test(2, "a line stops it")
def test_line():
    r.run_qemu(shell_script(['echo go', 'echo on', 'echo further']), stop_on_line('^go$'))
    r.match('^go$', no=['^further$'])

@test(0, "no points")
def test_nothing():
    raise AssertionError("")
`);
	expect(failure).toBeUndefined();
	expect(results.map(({ test: { id }, outcome }) => [id, outcome])).toEqual([
		["echo", "passed"],
		["the disk lives on", "passed"],
		["nested shell", "passed"],
		["breakpoint", "passed"],
		["no such symbol", "failed"],
		["wrong", "failed"],
		["its child", "failed"],
		["time", "passed"],
		["answers", "failed"],
		["a line stops it", "passed"],
		["no points", "passed"],
	]);
	expect(by("breakpoint").runs.map(({ end }) => end)).toEqual(["breakpoint"]);
	expect(by("no such symbol").message).toBe("Symbol sys_nothing not found");
	expect(by("wrong").message).toMatch(/one\n[\s\S]*MISSING '\^two\$'$/);
	expect(by("its child").message).toBe("Parent failed: wrong");
	expect(by("answers").message).toBe("Cannot read answers-own.txt");
	expect(scoreOf(results, tests)).toEqual({ got: 28 - 5, of: 48, notGraded: 0 });
	expect(JSON.parse(gradesJson(results, tests))).toMatchObject({ wrong: 0, "  its child": 0, echo: 5 });
});

test("only the tests asked for run, and the parents that they need", async () => {
	const { results } = await grade(
		`
@test(1, "first")
def test_first():
    raise AssertionError("it ran")

@test(2, "second")
def test_second():
    r.run_qemu(shell_script(['echo two']))

@test(3, "third", parent=test_second)
def test_third():
    r.match('^two$')
`,
		["third"],
	);
	expect(results.map(({ test: { id }, outcome }) => [id, outcome])).toEqual([
		["second", "passed"],
		["third", "passed"],
	]);
});

test("a failure comes with what the machine knows: a killed process, a panic", async () => {
	const { by } = await grade(`
@test(5, "killed")
def test_killed():
    r.run_qemu(shell_script(['nullread', 'echo OK']))
    r.match('^read: ok$')

@test(5, "panic")
def test_panic():
    r.run_qemu(shell_script(['askuptime', 'echo OK']), timeout=300)
    r.match('^OK$')
`);
	expect(by("killed").diagnoses.map(({ kind }) => kind)).toContain("user-fault");
	const panic = by("panic");
	// The text of a program is no panic; the kernel's own ends the run long before 300 seconds.
	expect(panic.output).toMatch(/panic: only a word\n[\s\S]*no time/);
	expect(panic.runs[0]).toMatchObject({ end: "panic", typed: ["askuptime"] });
	expect(panic.runs[0]?.seconds).toBeLessThan(20);
	expect(panic.diagnoses[0]?.cause).toMatch(/no time/);
	expect(panic.diagnoses[0]?.look?.file).toBe("kernel/sysproc.c");
	const verdict = gradeVerdict("grade-lab-own", panic, { harts: 1, seed: 0 });
	expect(verdict.reasons[0]).toEqual({ kind: "grade", message: "MISSING '^OK$'" });
	expect(verdict).toMatchObject({ outcome: "failed", end: "panic", points: { got: 0, of: 5 } });
});

test("the limit is guest time, ten times the script's seconds", async () => {
	const { results } = await grade(`
@test(5, "waits")
def test_waits():
    r.run_qemu(shell_script(['cat', 'echo OK']), timeout=2)
    r.match('^OK$')
`);
	expect(results[0]?.outcome).toBe("failed");
	const [run] = results[0]?.runs ?? [];
	expect(run?.end).toBe("timeout");
	expect(run?.seconds).toBeGreaterThan(20);
	expect(run?.seconds).toBeLessThan(21);
});

test("what needs this computer is not graded, with its reason, and its children neither", async () => {
	const { results, tests } = await grade(`
@test(20, "ph")
def test_ph():
    subprocess.run(['make', 'ph'], check=True)
    result = subprocess.run(['./ph', '2'], stdout=subprocess.PIPE, check=True)

@test(4, "ph child", parent=test_ph)
def test_child():
    pass

@test(10, "net")
def test_net():
    server = subprocess.Popen(["make", "server"], stdout=subprocess.PIPE)
    r.run_qemu(shell_script(['nettests']))

@test(6, "rest")
def test_rest():
    r.run_qemu(shell_script(['echo OK']))
    r.match('^OK$')
`);
	expect(results.map(({ outcome }) => outcome)).toEqual(["not-graded", "not-graded", "not-graded", "passed"]);
	expect(results[0]?.message).toMatch(/`make ph` needs a compiler of this computer/);
	expect(results[2]?.message).toMatch(/network/);
	expect(scoreOf(results, tests)).toEqual({ got: 6, of: 6, notGraded: 34 });
	const machine = { harts: 1, seed: 0 };
	const report = toJUnit(results.map((result) => gradeVerdict("grade-lab-own", result, machine)));
	expect(report).toMatch(/tests="4" failures="0" errors="0" skipped="3"/);
	expect(report).toMatch(/<skipped message="not graded: this test needs the network/);
});

test("addr2line is ours: lines where there are, the unit's file where the compiler made code up", async () => {
	const symbols = new ElfFile(parts.kernel);
	const at = `0x${symbols.symbol("sys_uptime")?.address.toString(16)}`;
	const { results } = await grade(`
def a2l():
    for f in ['riscv64-unknown-elf-addr2line', 'riscv64-linux-gnu-addr2line']:
        try:
            devnull = open('/dev/null')
            subprocess.Popen([f], stdout=devnull, stderr=devnull).communicate()
            return f
        except OSError:
            continue
    raise AssertionError('none')

@test(1, "line")
def test_line():
    out = subprocess.run([a2l(), '-e', 'kernel/kernel', '${at}'], stdout=subprocess.PIPE).stdout.decode("utf-8")
    if not re.match(r'^kernel/sysproc\\.c:\\d+\\n$', out):
        raise AssertionError(out)
    out = subprocess.check_output([a2l(), '-e', 'kernel/kernel', '0x1234']).decode()
    assert_equal(out, '??:0\\n')
`);
	expect(results[0]).toMatchObject({ outcome: "passed", message: "" });
});

test("a test whose script fails is no failure of the student's; the others go on", async () => {
	const { results, failure } = await grade(`
@test(5, "index")
def test_index():
    x = []
    x[3]

@test(1, "rest")
def test_rest():
    pass
`);
	expect(results.map(({ outcome }) => outcome)).toEqual(["errored", "passed"]);
	expect(results[0]?.message).toMatch(/^IndexError/);
	expect(failure).toBeUndefined();
});

test("the tests of usertests are found in its ELF file, as its source has them", async () => {
	const source = fromUtf8((await catalog.workspace(undefined)).get("user/usertests.c") as Uint8Array);
	const table = source.slice(source.indexOf("} tests[] = {"));
	const declared = [...table.matchAll(/\{ "(\w+)", \w+(?:, \d+)? \}/g)].map(([, name]) => name);
	const elf = parts.programs.find(({ name }) => name === "usertests")?.elf as Uint8Array;
	expect(declared.length).toBeGreaterThan(50);
	expect([...testNames(elf)].sort()).toEqual([...declared].sort());
	const twoTables = parts.programs.find(({ name }) => name === "twotables")?.elf as Uint8Array;
	expect(testNames(twoTables)).toEqual(["a", "b", "c", "d", "e", "f1", "g1", "h1", "i1", "j1"]);
	// Before a build, the source says the same, and where each is.
	const listed = declaredTests(source);
	expect(listed.map(({ name }) => name).sort()).toEqual([...declared].sort());
	const lines = source.split("\n");
	for (const { name, line } of listed) expect(lines[(line ?? 0) - 1], name).toMatch(/^\w.*\(/);
	expect(declaredTests(source.replaceAll("ALL TESTS PASSED", "done"))).toEqual([]);
	expect(testNames(parts.programs.find(({ name }) => name === "sh")?.elf as Uint8Array)).toEqual([]);
});
