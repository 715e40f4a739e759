import { resolve } from "node:path";
import { expect, test } from "vitest";
import { gradeWorkers } from "../../../src/env/node/gradeWorker.ts";
import { type GradeReport, runGrade } from "../../../src/grade/gradeRun.ts";

const start = gradeWorkers(resolve(import.meta.dirname, "../../../dist"));

interface Ended extends GradeReport {
	readonly printed: readonly string[];
}

async function run(text: string, files: Record<string, string> = {}, thinkMs = 10_000): Promise<Ended> {
	const printed: string[] = [];
	const script = { name: "grade-lab-own", text, files: new Map(Object.entries(files)) };
	const report = await runGrade(start, { script }, { onPrint: (line) => printed.push(line), thinkMs });
	return { ...report, printed };
}

const head = "from gradelib import *\n";

test("a script's tests are what its decorators say: points, titles, parents, lines; none of them runs", async () => {
	const { tests, failure, printed } = await run(`import re
from gradelib import *

r = Runner(save("xv6.out"))

@test(10, "cow")
def test_cow():
    print("it runs")
    r.run_qemu(shell_script(["cowtest"]))

@test(5, "simple", parent=test_cow)
def test_simple():
    pass

@test(0, "usertests")
def test_usertests():
    pass

@test(7)
def test_named_by_its_function():
    pass

@test(1, "cow")
def test_cow_again():
    pass

run_tests()
`);
	expect(failure).toBeUndefined();
	expect(printed).toEqual([]);
	expect(tests).toEqual([
		{ id: "cow", title: "cow", points: 10, line: 6 },
		{ id: "simple", title: "  simple", points: 5, parent: "cow", line: 11 },
		{ id: "usertests", title: "usertests", points: 0, line: 15 },
		{ id: "named by its function", title: "named by its function", points: 7, line: 19 },
		{ id: "cow (2)", title: "cow", points: 1, line: 23 },
	]);
});

test("a script that never ends is stopped, and says so", async () => {
	const { failure } = await run(`${head}while True:\n    pass\n`, {}, 700);
	expect(failure).toMatch(/computed for 0\.7 seconds without running the machine/);
});

test("a pattern that never ends is stopped, too", async () => {
	const { failure } = await run(`${head}import re\nre.match("(a+)+$", "${"a".repeat(40)}b")\n`, {}, 700);
	expect(failure).toMatch(/computed for/);
});

test("memory has an end: lists, strings and files", async () => {
	for (const bomb of ["x = []\nwhile True:\n    x.append('y' * 1000000)\n", "x = 'a'\nwhile True:\n    x += x\n"])
		expect((await run(head + bomb, {}, 60_000)).failure).toMatch(/used up the memory/);
	const file = "f = open('/tmp/x', 'w')\nwhile True:\n    f.write('y' * 1000000)\n";
	expect((await run(head + file, {}, 60_000)).failure).toMatch(/OSError/);
});

test("calls that go too deep end with a sentence", async () => {
	const { failure } = await run(`${head}def f(n):\n    return f(n + 1) + 1\nf(0)\n`);
	expect(failure).toMatch(/recursion|too deep/);
});

test("nothing of the host can be reached", async () => {
	const attempts = [
		"import js\nprint(js.process.env)",
		"import js\nprint(js.globalThis)",
		"import js\njs.x = 1",
		"import jsffi\nprint(jsffi.to_js([]).constructor)",
		"import jsffi\nprint(jsffi.create_proxy(print))",
		"import jsffi\njsffi.async_timeout_ms(1)",
		"print(open('/etc/passwd').read())",
		"print(open('../package.json').read())",
		"print(open('/proc/self/environ').read())",
		"import socket",
		"import os\nos.system('id')",
		"import os\nprint(os.environ['HOME'])",
		"import subprocess\nsubprocess.run(['cat', '/etc/passwd'])",
		"from gradehost import ask\nask('constructor')",
		"from gradehost import ask\nask('step')",
		"f = open('/dev/xv6-lab', 'r+b')\nf.write(b'no json\\n')",
	];
	for (const attempt of attempts) {
		const { failure, printed, tests } = await run(`${head}${attempt}\nprint("reached")\nrun_tests()\n`);
		expect([attempt, failure === undefined, printed, tests.length]).toEqual([attempt, false, [], 0]);
	}
});

test("files that the script is given can be read, others are not there", async () => {
	const { printed, failure } = await run(
		`${head}import os
print(open("user/nsh.c").read())
try:
    open("other.txt")
except IOError:
    print("no other")
print(os.path.exists("time.txt"))
run_tests()
`,
		{ "user/nsh.c": "int main;", "time.txt": "5" },
	);
	expect([failure, printed]).toEqual([undefined, ["int main;", "no other", "True"]]);
});

test("a script that fails says it in Python's words; one that runs no tests is none", async () => {
	expect((await run(`${head}import nosuch\n`)).failure).toMatch(/no module named 'nosuch'/);
	expect((await run("x = = 1\n")).failure).toMatch(/SyntaxError/);
	expect((await run(`${head}x = 1\n`)).failure).toMatch(/does not call run_tests/);
});
