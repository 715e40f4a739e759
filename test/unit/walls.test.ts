import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, test } from "vitest";

/** The rooms of DESIGN.md from the ground up; a room may import from itself and from rooms above it here. */
const rooms = [
	"common",
	"riscv",
	"protocol",
	"machine",
	"debuginfo",
	"toolchain",
	"build",
	"kernelview",
	"session",
	"debugger",
	"lab",
	"explore",
	"grade",
	"env",
	"worker",
	"cli",
	"extension",
];
const root = resolve(import.meta.dirname, "../..");

function sources(folder: string): string[] {
	return readdirSync(folder).flatMap((name) => {
		const path = join(folder, name);
		if (statSync(path).isDirectory()) return sources(path);
		return /\.ts$/.test(name) ? [path] : [];
	});
}

function imports(file: string): string[] {
	const text = readFileSync(file, "utf8");
	return [...text.matchAll(/(?:from|import)\s*\(?\s*["']([^"']+)["']/g)].map((match) => match[1] as string);
}

function roomOf(file: string): string {
	return relative(join(root, "src"), file).split("/")[0] as string;
}

const isCore = (file: string) => file.includes("src/machine/core/");
const platformRooms = new Set(["env", "worker", "cli", "extension"]);

test("a room imports only from itself and the rooms above it", () => {
	const broken: string[] = [];
	for (const file of sources(join(root, "src"))) {
		const room = roomOf(file);
		if (!rooms.includes(room)) continue;
		for (const specifier of imports(file)) {
			if (!specifier.startsWith(".")) continue;
			const other = roomOf(resolve(dirname(file), specifier));
			if (rooms.indexOf(other) > rooms.indexOf(room)) broken.push(`${relative(root, file)} imports ${specifier}`);
		}
	}
	expect(broken).toEqual([]);
});

test("only src/extension and the extension entries import vscode", () => {
	const broken = sources(join(root, "src")).filter(
		(file) =>
			imports(file).includes("vscode") && roomOf(file) !== "extension" && !/src\/extension(\.web)?\.ts$/.test(file),
	);
	expect(broken).toEqual([]);
});

test("Node's own modules stay out of the shared rooms", () => {
	const broken = sources(join(root, "src"))
		.filter((file) => rooms.includes(roomOf(file)) && !platformRooms.has(roomOf(file)))
		.filter((file) => imports(file).some((specifier) => specifier.startsWith("node:")));
	expect(broken.map((file) => relative(root, file))).toEqual([]);
});

test("the webview imports nothing of src but the protocol and types of the kernel view", () => {
	const broken: string[] = [];
	for (const file of sources(join(root, "webview"))) {
		for (const specifier of imports(file)) {
			if (!specifier.startsWith(".")) continue;
			const target = relative(root, resolve(dirname(file), specifier));
			if (target.startsWith("src/") && !target.startsWith("src/protocol/")) broken.push(`${file} imports ${target}`);
		}
	}
	expect(broken).toEqual([]);
});

test("the machine reads no clock and no randomness of the host", () => {
	const banned = /\b(Date\.|new Date|performance\.|Math\.random|setTimeout|setInterval|crypto\.)/;
	const broken = sources(join(root, "src/machine"))
		.filter((file) => !isCore(file))
		.filter((file) => banned.test(readFileSync(file, "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "")));
	expect(broken.map((file) => relative(root, file))).toEqual([]);
});

test("only the run controller runs a machine, outside of the machine's own room", () => {
	const runs = /\b(?:machine|guest|core)\.(?:run|runHart)\(/;
	const found = sources(join(root, "src"))
		.filter((file) => roomOf(file) !== "machine")
		.filter((file) => runs.test(readFileSync(file, "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "")));
	expect(found.map((file) => relative(root, file))).toEqual(["src/session/runController.ts"]);
});

test("the command line imports nothing of the extension", () => {
	const found = sources(join(root, "src/cli")).filter((file) =>
		imports(file).some((specifier) => specifier.includes("/extension")),
	);
	expect(found).toEqual([]);
});

/** Modules that import each other, by value or by type: files of `src`, in the order of the circle. */
function circles(): string[] {
	const files = sources(join(root, "src"));
	const known = new Set(files);
	const edges = new Map(
		files.map((file) => [
			file,
			imports(file)
				.filter((specifier) => specifier.startsWith("."))
				// AssemblyScript's imports have no extension.
				.map((specifier) => resolve(dirname(file), isCore(file) ? `${specifier}.ts` : specifier))
				.filter((other) => known.has(other)),
		]),
	);
	const found = new Set<string>();
	const done = new Set<string>();
	const visit = (file: string, path: readonly string[]) => {
		const at = path.indexOf(file);
		if (at >= 0) {
			const names = path.slice(at).map((name) => relative(root, name));
			const first = names.indexOf([...names].sort()[0] as string);
			found.add([...names.slice(first), ...names.slice(0, first)].join(" > "));
			return;
		}
		if (done.has(file)) return;
		for (const other of edges.get(file) ?? []) visit(other, [...path, file]);
		done.add(file);
	};
	for (const file of files) visit(file, []);
	return [...found];
}

test("no module imports itself by way of others", () => {
	expect(circles()).toEqual([]);
});
