import fc from "fast-check";
import { expect, test } from "vitest";
import { planBuild } from "../../../../src/build/makefile/plan.ts";
import { fromUtf8 } from "../../../../src/common/bytes.ts";
import { UserError } from "../../../../src/common/errors.ts";
import { tinyMakefile, tinyTree } from "../../../support/tinyTree.ts";

const lines = tinyMakefile.split("\n");

/** One damage to a Makefile: a line gone, doubled, moved or cut, or a piece of make's syntax put anywhere. */
const damage = fc.oneof(
	fc.record({ kind: fc.constantFrom("drop", "double", "swap", "cut"), line: fc.nat(lines.length - 1), at: fc.nat(80) }),
	fc.record({
		kind: fc.constant("insert"),
		line: fc.nat(lines.length - 1),
		at: fc.nat(80),
		text: fc.constantFrom(
			..."$ ( ) { } $( $$ = := += : :: % # \\ \t ; | > < ' \" ` endif else define endef ifdef include".split(" "),
		),
	}),
);

type Damage = { readonly kind: string; readonly line: number; readonly at: number; readonly text?: string };

function damaged(all: readonly Damage[]): string {
	const out = [...lines];
	for (const { kind, line, at, text = "" } of all) {
		const i = Math.min(line, out.length - 1);
		const old = out[i] ?? "";
		if (kind === "drop") out.splice(i, 1);
		else if (kind === "double") out.splice(i, 0, old);
		else if (kind === "swap") [out[i], out[i + 1]] = [out[i + 1] ?? "", old];
		else if (kind === "cut") out[i] = old.slice(0, at);
		else out[i] = old.slice(0, at) + text + old.slice(at);
	}
	return out.join("\n");
}

test("a damaged Makefile gives a plan or a typed error, never another failure and never a hang", () => {
	const { files } = tinyTree();
	const paths = [...files.keys()].sort();
	fc.assert(
		fc.property(fc.array(damage, { minLength: 1, maxLength: 4 }), (all) => {
			const makefile = damaged(all);
			const text = (path: string) => (path === "Makefile" ? makefile : fromUtf8(files.get(path) ?? new Uint8Array()));
			try {
				const plan = planBuild("tiny", { paths, text });
				expect(plan.kernel).toEqual(expect.any(String));
			} catch (error) {
				if (!(error instanceof UserError)) throw error;
				expect(error.message).not.toBe("");
				expect(paths).toContain(error.position?.file ?? "Makefile");
			}
		}),
		{ numRuns: 2000 },
	);
});
