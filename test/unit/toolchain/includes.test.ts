import { expect, test } from "vitest";
import { jobClosure } from "../../../src/toolchain/includes.ts";
import type { CompileJob } from "../../../src/toolchain/types.ts";

function closure(files: Record<string, string>, job: Partial<CompileJob> = {}): string[] {
	const all: CompileJob = { kind: "c", source: "kernel/a.c", flags: ["-I."], target: "riscv64", ...job };
	return [
		...jobClosure(all, { read: (path) => (path in files ? Buffer.from(files[path] as string) : undefined) }).keys(),
	].sort();
}

test("headers of headers, beside the file and on the search path", () => {
	const files = {
		"kernel/a.c": '#include "b.h"\n #  include "kernel/c.h"\n#include <user/d.h>\n',
		"kernel/b.h": '#include "../user/e.h"',
		"kernel/c.h": '#include "b.h"',
		"user/d.h": "",
		"user/e.h": "",
		"user/unused.h": "",
	};
	expect(closure(files)).toEqual(["kernel/a.c", "kernel/b.h", "kernel/c.h", "user/d.h", "user/e.h"]);
});

test("circles end; what is not there or leads out of the tree is left to the compiler", () => {
	const files = {
		"kernel/a.c": '#include "a.h"\n#include "../../etc/x.h"\n#include </x.h>',
		"kernel/a.h": '#include "a.h"',
	};
	expect(closure(files)).toEqual(["kernel/a.c", "kernel/a.h"]);
});

test("-include and .incbin count, and so do branches that are not taken", () => {
	const files = {
		"kernel/a.c": '#if 0\n#include "off.h"\n#endif\n',
		"kernel/off.h": "",
		"pre.h": "",
		"kernel/b.S": '.incbin "data.bin"\n',
		"data.bin": "x",
	};
	expect(closure(files, { flags: ["-I.", "-include", "pre.h"] })).toEqual(["kernel/a.c", "kernel/off.h", "pre.h"]);
	expect(closure(files, { kind: "assembly", source: "kernel/b.S" })).toEqual(["data.bin", "kernel/b.S"]);
});
