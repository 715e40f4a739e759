// Someone opens a tree of a course that has a grade script, and nothing of ours: its own tests, green and red.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Two programs of a small lab: one solved, one begun. */
const files = {
	"user/greet.c":
		'#include "kernel/types.h"\n#include "user/user.h"\n\nint\nmain(int argc, char *argv[])\n{\n  printf("hello, %s\\n", argc > 1 ? argv[1] : "all");\n  exit(0);\n}\n',
	"user/count.c":
		'#include "kernel/types.h"\n#include "user/user.h"\n\nint\nmain(int argc, char *argv[])\n{\n  printf("%d\\n", argc);\n  exit(0);\n}\n',
	"conf/lab.mk": "LAB=words\n",
	// A course's library wants QEMU and make: it is never run here.
	"gradelib.py": 'raise SystemExit("this library needs QEMU")\n',
	"grade-lab-words": `#!/usr/bin/env python3

import re
from gradelib import *

r = Runner(save("xv6.out"))

@test(5, "greet")
def test_greet():
    r.run_qemu(shell_script(['greet', 'greet xv6']))
    r.match('^hello, all$', '^hello, xv6$')

@test(0, "count")
def test_count():
    r.run_qemu(shell_script(['count', 'count one two']))

@test(5, "count: nothing", parent=test_count)
def test_count_nothing():
    r.match('^0$')

@test(10, "count: words", parent=test_count)
def test_count_words():
    r.match('^2$', no=['^3$'])

run_tests()
`,
};

export const gradeCases = {
	async "a course's own grade script: its tests are green and red, a failure says what the script misses, and turns green when it is mended"({
		open,
		cli,
		scratch,
		edit,
		shot,
	}) {
		const folder = join(scratch, "words");
		cli(["new", folder]);
		mkdirSync(join(folder, "conf"), { recursive: true });
		for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text);
		edit(join(folder, "Makefile"), "\t$U/_cat\\\n", "\t$U/_cat\\\n\t$U/_greet\\\n\t$U/_count\\\n");
		const workbench = await open(folder);
		const { page } = workbench;
		await workbench.command("xv6: Run All Lab Tests");
		const counts = (text) => page.locator(".part.statusbar").getByText(text).first().waitFor();
		await counts(/2 passed, 2 failed, 0 not begun/);
		const row = (start, state) =>
			page
				.locator(".test-explorer .monaco-list-row", { hasText: start })
				.filter({ has: page.locator(`.codicon-testing-${state}-icon`) })
				.first()
				.waitFor();
		await row(/^\s*greet \(5 points\)/, "passed");
		await row(/^\s*count: nothing \(5 points\)/, "failed");
		await row(/^\s*count: words \(10 points\)/, "failed");
		await shot(workbench, "grade-script-red");
		await workbench.command("Test: Peek Output");
		const peek = page.locator(".test-output-peek, .zone-widget").first();
		await peek.getByText("MISSING '^0$'").first().waitFor();
		await shot(workbench, "grade-script-peek");
		edit(join(folder, "user/count.c"), "argc);", "argc - 1);");
		await workbench.command("xv6: Run All Lab Tests");
		await counts(/4 passed, 0 failed, 0 not begun/);
		await row(/^\s*grade-lab-words \(words\)/, "passed");
		await row(/^\s*count: words \(10 points\)/, "passed");
		await shot(workbench, "grade-script-green");
	},
};
