import { afterAll, describe, expect, test } from "vitest";
import { fromUtf8 } from "../../src/common/bytes.ts";
import { build, catalog, closeToolchains, judgeOutput } from "../support/lab.ts";

afterAll(closeToolchains);

const lab = "hw5-anonymous-mmap";

/** Code blocks of a handout; `language` is what stands behind the three backquotes. */
function blocks(handout: string, language: string): string[] {
	const all = [...handout.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)];
	return all.filter(([, info]) => info === language).map(([, , text]) => text as string);
}

/** Without comments and layout: a handout breaks and indents as it likes. */
const tokens = (text: string) =>
	text
		.replace(/\/\/.*$/gm, "")
		.replace(/\s+/g, " ")
		.trim();

describe(`what the handout of ${lab} shows`, async () => {
	const files = await catalog.workspace(lab, "3b");
	const handout = fromUtf8(files.get("HANDOUT.md") as Uint8Array);

	test("its pieces of C are the reference's", () => {
		const pieces = blocks(handout, "c");
		const sources = [...files].filter(([path]) => /^(kernel|user)\/.*\.[ch]$/.test(path));
		const code = sources.map(([, bytes]) => tokens(fromUtf8(bytes)));
		expect(pieces.length).toBeGreaterThan(3);
		for (const piece of pieces) expect(code.some((file) => file.includes(tokens(piece)))).toBe(true);
	});

	test("what the starter prints", async () => {
		const shown = blocks(handout, "")[0] as string;
		expect(shown).toContain("private");
		const starter = await catalog.workspace(lab);
		const manifest = await catalog.manifest(lab);
		const tests = manifest.tests.filter(({ program }) => /^(private|prodcons\d)$/.test(program));
		const verdicts = await judgeOutput(await build(starter), manifest, { tests, files: starter });
		expect(verdicts.map(({ actual }) => actual)).toEqual(tests.map(({ program }) => shown.replace("private", program)));
	});
});
