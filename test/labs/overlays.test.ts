import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { catalog, repository } from "../support/lab.ts";

/** Files that labs only add to. Whatever xv6/ gets here, an overlay has to have too. */
const additionsOnly =
	/^(Makefile|user\/user\.h|user\/usys\.pl|kernel\/(defs|syscall|param|stat|proc)\.h|kernel\/main\.c)$/;

/** Lines of xv6/ that a lab's task is to change. */
const changed: Readonly<Record<string, readonly string[]>> = {
	"hw5-anonymous-mmap kernel/defs.h": ["int             uvmcopy(pagetable_t old, pagetable_t new, uint64 sz);"],
};

/** A solution changes some lines of the other files; an overlay that has missed a change of xv6/ lacks many. */
const mostChanged = 20;

/** Lines of `before` that `after` has lost: what `diff` marks with `<`. */
function lost(before: readonly string[], after: readonly string[]): string[] {
	const rows = after.length + 1;
	// Longest common subsequence, from the end; one flat table.
	const table = new Uint32Array((before.length + 1) * rows);
	const at = (i: number, j: number) => table[i * rows + j] ?? 0;
	for (let i = before.length - 1; i >= 0; i--)
		for (let j = after.length - 1; j >= 0; j--)
			table[i * rows + j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
	const result: string[] = [];
	for (let i = 0, j = 0; i < before.length; ) {
		if (j < after.length && before[i] === after[j]) {
			i++;
			j++;
		} else if (j < after.length && at(i, j + 1) >= at(i + 1, j)) j++;
		else result.push(before[i++] as string);
	}
	return result;
}

const lines = (path: string) => readFileSync(path, "utf8").split("\n");
const filesUnder = (folder: string) =>
	readdirSync(folder, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));

test("what diff marks with < is what is lost", () => {
	expect(lost(["a", "b", "c", "b"], ["x", "a", "c", "y", "b"])).toEqual(["b"]);
	expect(lost(["a", "b"], ["b", "a", "b"])).toEqual([]);
	expect(lost(["a", "b"], ["b", "a"])).toHaveLength(1);
});

for (const id of await catalog.ids()) {
	const lab = join(repository, "labs", id);
	const solutions = readdirSync(join(lab, "solution")).map((step) => `solution/${step}`);

	describe(`overlays of ${id}`, () => {
		test.each(["starter", ...solutions])("%s has all that xv6/ has", (overlay) => {
			const missing = filesUnder(join(lab, overlay)).flatMap((file) => {
				const base = join(repository, "xv6", file);
				if (!existsSync(base)) return [];
				const gone = lost(lines(base), lines(join(lab, overlay, file)));
				if (!additionsOnly.test(file)) return gone.length > mostChanged ? [`${file}: ${gone.length} lines`] : [];
				const allowed = changed[`${id} ${file}`] ?? [];
				return gone.filter((line) => !allowed.includes(line)).map((line) => `${file}: ${line}`);
			});
			expect(missing).toEqual([]);
		});
	});
}
