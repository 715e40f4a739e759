import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { runBuild } from "../../src/cli/build.ts";
import { fromUtf8, utf8 } from "../../src/common/bytes.ts";
import { type OpenedToolchains, openToolchains } from "../../src/env/node/toolchains.ts";
import { type BuildCase, buildCases } from "../cases/builds.ts";
import { catalog } from "../support/lab.ts";

let opened: OpenedToolchains;
let folder: string;
let said: string;

beforeAll(async () => {
	opened = await openToolchains({ kind: "bundled" });
});
afterAll(() => opened.dispose());

beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "xv6-lab-case-"));
	said = "";
	vi.spyOn(process.stdout, "write").mockImplementation(() => true);
	vi.spyOn(process.stderr, "write").mockImplementation((text) => {
		said += text;
		return true;
	});
});
afterEach(() => {
	vi.restoreAllMocks();
	rmSync(folder, { recursive: true, force: true });
});

async function workspace({ edits, remove, crlf = [] }: BuildCase): Promise<ReadonlyMap<string, Uint8Array>> {
	const files = new Map(await catalog.workspace(undefined));
	const text = (path: string) => fromUtf8(files.get(path) ?? utf8(""));
	for (const [path, from, to] of edits) {
		expect(text(path).split(from).length, `${path} has this once: ${from}`).toBe(2);
		files.set(path, utf8(text(path).replace(from, () => to)));
	}
	for (const path of crlf) files.set(path, utf8(text(path).replaceAll("\n", "\r\n")));
	if (remove !== undefined) expect(files.delete(remove)).toBe(true);
	return files;
}

test.each(buildCases.map((one) => [one.name, one] as const))("%s", async (_, one) => {
	for (const [path, bytes] of await workspace(one)) {
		mkdirSync(dirname(join(folder, path)), { recursive: true });
		writeFileSync(join(folder, path), bytes);
	}
	const keep = { ...opened, dispose() {} };
	expect(await runBuild([folder, "--toolchain", "bundled"], async () => keep), said).toBe(one.code);
	const [first = ""] = said.split("\n");
	expect(first).toMatch(one.said ?? /build done in/);
	if (one.also) expect(said).toMatch(one.also);
});
