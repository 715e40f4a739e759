import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type * as vscode from "vscode";
import { labPrograms } from "../../../src/extension/labPrograms.ts";

const root = resolve(import.meta.dirname, "../../..");
const words = JSON.parse(readFileSync(join(root, "package.nls.json"), "utf8")) as Record<string, string>;
/** As VS Code reads it, with the words put in. */
const manifest = JSON.parse(
	readFileSync(join(root, "package.json"), "utf8").replace(/%([\w.]+)%/g, (key, name: string) =>
		JSON.stringify(words[name] ?? key).slice(1, -1),
	),
);
const { contributes } = manifest;
const commands: { command: string; title: string; category: string; icon: string; enablement?: string }[] =
	contributes.commands;

test("every command has the category, an icon, and an enablement clause", () => {
	for (const { command, title, category, icon, enablement } of commands) {
		expect(category).toBe("xv6");
		expect(title).not.toMatch(/xv6/);
		expect(icon).toMatch(/^\$\([a-z-]+\)$/);
		expect(enablement, command).toMatch(/\S/);
	}
});

test("every command is reached by keyboard: from the palette, by keys of its own, or as the code lens on its line", () => {
	const keys = new Set(contributes.keybindings.map((binding: { command: string }) => binding.command));
	const hidden = contributes.menus.commandPalette.filter((item: { when: string }) => item.when === "false");
	const notInPalette = new Set(hidden.map((item: { command: string }) => item.command));
	const unreachable = commands.filter(({ command }) => notInPalette.has(command) && !keys.has(command));
	// They need a program or a test as their argument, which lens and side bar give; the keyboard has "Run User Program…" and the Test Explorer.
	expect(unreachable.map(({ command }) => command).sort()).toEqual([
		"xv6Lab.debugProgramAt",
		"xv6Lab.debugSchedule",
		"xv6Lab.runProgramAt",
		"xv6Lab.runTest",
		"xv6Lab.saveTestRun",
	]);
	expect(keys).toContain("xv6Lab.runProgram");
});

test("the palette shows a command when it can be used, and no sooner", () => {
	const rules = new Map<string, string>(
		contributes.menus.commandPalette.map((item: { command: string; when: string }) => [item.command, item.when]),
	);
	for (const { command, enablement } of commands) {
		const when = rules.get(command) ?? enablement;
		if (when !== "false") expect(when, command).toBe(enablement);
	}
});

describe("palette entries and keys", () => {
	const folder = mkdtempSync(join(tmpdir(), "xv6-lab-palette-"));
	const at = (name: string) => join(folder, name);
	const files = ["package.json", "package.nls.json"];
	const make = () => expect(spawnSync(process.execPath, ["scripts/palette.mjs", folder], { cwd: root }).status).toBe(0);
	afterAll(() => rmSync(folder, { recursive: true }));

	test("are what the labs' manifests say", () => {
		for (const file of files) cpSync(join(root, file), at(file));
		for (const { name } of readdirSync(join(root, "labs"), { withFileTypes: true }).filter((one) => one.isDirectory()))
			cpSync(join(root, "labs", name, "lab.json"), at(`labs/${name}/lab.json`));
		make();
		for (const file of files) expect(readFileSync(at(file), "utf8")).toBe(readFileSync(join(root, file), "utf8"));
		const programs = labPrograms({ extension: { packageJSON: manifest } as vscode.Extension<never> });
		expect([...programs].sort()).toEqual(["mmaptest", "private", "prodcons1", "prodcons2", "prodcons3", "usertests"]);
	});

	test("of a third lab come from its lab.json alone", () => {
		mkdirSync(at("labs/third"));
		writeFileSync(at("labs/third/lab.json"), JSON.stringify({ palette: { forktree: "f", quiet: "" } }));
		make();
		const made = JSON.parse(readFileSync(at("package.json"), "utf8")).contributes;
		const of = (list: readonly { readonly command: string }[], program: string) =>
			list.filter(({ command }) => command === `xv6Lab.run.${program}`);
		expect(of(made.commands, "forktree")).toMatchObject([{ enablement: "xv6Lab.has.forktree" }]);
		expect(of(made.menus.commandPalette, "quiet")).toMatchObject([{ when: "xv6Lab.has.quiet" }]);
		expect(of(made.keybindings, "forktree")).toMatchObject([{ key: "ctrl+alt+x f" }]);
		expect(of(made.keybindings, "quiet")).toEqual([]);
		expect(JSON.parse(readFileSync(at("package.nls.json"), "utf8"))["command.run.forktree"]).toBe("Run forktree");
		expect(made.commands).toHaveLength(commands.length + 2);
	});
});

test("keys are no two commands' own", () => {
	const keys = contributes.keybindings.map((binding: { key: string }) => binding.key);
	expect(new Set(keys).size).toBe(keys.length);
});

test("menus, views, walkthroughs and keybindings name commands that exist", () => {
	const known = new Set(commands.map((command) => command.command));
	const named = [...JSON.stringify(contributes).matchAll(/(?:command:|onCommand:|"command":")(xv6Lab\.[\w.]+)/g)].map(
		(m) => m[1],
	);
	expect(named.filter((name) => !known.has(name as string))).toEqual([]);
});

test("files that the manifest names are there", () => {
	const files = [
		manifest.icon,
		...[...JSON.stringify(contributes).matchAll(/"(?:\.\/)?(media\/[^"]+)"/g)].map((match) => match[1]),
	];
	expect(files.filter((file) => !existsSync(join(root, file as string)))).toEqual([]);
});

test("the README's pictures are those that the end-to-end tests make", () => {
	const shown = [
		...readFileSync(join(root, "README.md"), "utf8").matchAll(/!\[[^\]]+\]\(media\/pictures\/(\w+)\.png\)/g),
	];
	const cases = ["cases", "windowCases", "debugCases"]
		.map((name) => readFileSync(join(root, `test/e2e/${name}.mjs`), "utf8"))
		.join();
	const made = [...cases.matchAll(/picture\(workbench, "(\w+)"/g)].map((match) => match[1]);
	expect(shown.map((match) => match[1]).sort()).toEqual(made.sort());
	expect(readdirSync(join(root, "media/pictures")).sort()).toEqual(made.map((name) => `${name}.png`));
});

test("activation is narrow: never * or at startup", () => {
	expect(manifest.activationEvents.filter((event: string) => event === "*" || event.startsWith("onStartup"))).toEqual(
		[],
	);
});

test("the notices list what ships, with the licence texts of this very installation", () => {
	const result = spawnSync(process.execPath, ["scripts/notices.mjs", "--check"], { cwd: root, encoding: "utf8" });
	expect(result.stderr).toBe("");
});

test("no dependency is needed at run time: everything that ships is bundled", () => {
	expect(manifest.dependencies).toBeUndefined();
});
