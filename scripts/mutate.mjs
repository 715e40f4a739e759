// `node scripts/mutate.mjs ROOM… [--mutants N] [--seed S] [--own] [--only PART]`: breaks one place at a time in src/ROOM, in a copy of the
// tree, and runs the room's unit tests that reach the place (a first run with probes tells which do), then all unit tests that depend on the
// file (not with --own): a mutant that they pass has survived. Prints each survivor as it is found, and the share killed by room. --only: of
// the files whose path has PART. Needs a build.
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import ts from "typescript";

const root = fileURLToPath(new URL("..", import.meta.url));
const { values, positionals: rooms } = parseArgs({
	allowPositionals: true,
	options: {
		mutants: { type: "string", default: "20" },
		seed: { type: "string", default: "1" },
		own: { type: "boolean", default: false },
		only: { type: "string", default: "" },
	},
});
if (rooms.length === 0)
	throw new Error("Write: node scripts/mutate.mjs ROOM… [--mutants N] [--seed S] [--own] [--only PART]");
let state = Number(values.seed) >>> 0 || 1;
/** Below `end`: xorshift, so that a seed repeats the mutants. */
function random(end) {
	state ^= state << 13;
	state ^= state >>> 17;
	state ^= state << 5;
	return (state >>> 0) % end;
}

const K = ts.SyntaxKind;
/** What stands for an operator instead. */
const operators = new Map([
	[K.LessThanToken, "<="],
	[K.LessThanEqualsToken, "<"],
	[K.GreaterThanToken, ">="],
	[K.GreaterThanEqualsToken, ">"],
	[K.EqualsEqualsEqualsToken, "!=="],
	[K.ExclamationEqualsEqualsToken, "==="],
	[K.PlusToken, "-"],
	[K.MinusToken, "+"],
	[K.AsteriskToken, "/"],
	[K.AmpersandAmpersandToken, "||"],
	[K.BarBarToken, "&&"],
	[K.AmpersandToken, "|"],
	[K.BarToken, "&"],
]);

/** Places of a file to break: what stands from `from` to `to`, what stands there instead, and where in the file a probe may stand. */
function mutationsOf(text) {
	const file = ts.createSourceFile("x.ts", text, ts.ScriptTarget.Latest, true);
	const found = [];
	const replace = (node, instead, probed = node) =>
		found.push({
			from: node.getStart(file),
			to: node.getEnd(),
			instead,
			probe: [probed.getStart(file), probed.getEnd(), ts.isStatement(probed)],
		});
	const visit = (node) => {
		if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isInterfaceDeclaration(node)) return;
		if (ts.isBinaryExpression(node)) {
			const instead = operators.get(node.operatorToken.kind);
			if (instead) replace(node.operatorToken, instead, node);
		}
		if (ts.isPrefixUnaryExpression(node) && node.operator === K.ExclamationToken)
			replace(node, node.operand.getText(file));
		if (ts.isIfStatement(node)) replace(node.expression, "false");
		if (ts.isConditionalExpression(node)) replace(node.condition, "true");
		if (ts.isExpressionStatement(node) && ts.isCallExpression(node.expression)) replace(node, ";");
		if (node.kind === K.TrueKeyword) replace(node, "false");
		if (node.kind === K.FalseKeyword) replace(node, "true");
		ts.forEachChild(node, visit);
	};
	visit(file);
	return found;
}

function filesBelow(folder) {
	return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
		const path = join(folder, entry.name);
		if (entry.isDirectory()) return filesBelow(path);
		return entry.name.endsWith(".ts") ? [path] : [];
	});
}

/** The tree without what is never changed: that is shared. */
function copyOfTree() {
	const copy = mkdtempSync(join(tmpdir(), "xv6-lab-mutants-"));
	const shared = ["node_modules", "dist"];
	for (const name of readdirSync(root)) {
		if (shared.includes(name)) symlinkSync(join(root, name), join(copy, name));
		else if (!name.startsWith(".")) cpSync(join(root, name), join(copy, name), { recursive: true });
	}
	return copy;
}

const copy = copyOfTree();
/** How far the room that is under way has come, for who ends it before. */
let soFar = "nothing was tried";
let running;
process.once("SIGTERM", () => {
	console.log(`ended: ${soFar}`);
	if (running) process.kill(-running.pid, "SIGKILL");
	rmSync(copy, { recursive: true, force: true });
	process.exit(1);
});

/** Ends with the exit status of vitest in the copy, or undefined where it took too long: a mutant may loop in every process below it. */
function vitest(args, seconds) {
	return new Promise((done) => {
		const child = spawn(process.execPath, ["node_modules/vitest/vitest.mjs", ...args, "--project", "unit"], {
			cwd: copy,
			detached: true,
			stdio: "ignore",
		});
		running = child;
		const timer = setTimeout(() => {
			process.kill(-child.pid, "SIGKILL");
			done(undefined);
		}, seconds * 1000);
		child.on("exit", (status) => {
			clearTimeout(timer);
			running = undefined;
			done(status);
		});
	});
}

/** The text with a call at each place, by the place's number. */
function probed(text, places) {
	const inserts = places.flatMap(({ id, mutation }) => {
		const [from, to, statement] = mutation.probe;
		const call = `globalThis.__reached?.(${id})`;
		return statement
			? [
					{ at: from, order: [1, -to], text: `{${call};` },
					{ at: to, order: [0, -from], text: "}" },
				]
			: [
					{ at: from, order: [1, -to], text: `(${call},` },
					{ at: to, order: [0, -from], text: ")" },
				];
	});
	// At one place what ends comes first; of two that begin there the outer one, of two that end there the inner one.
	inserts.sort((a, b) => a.at - b.at || a.order[0] - b.order[0] || a.order[1] - b.order[1]);
	let result = "";
	let done = 0;
	for (const { at, text: inserted } of inserts) {
		result += text.slice(done, at) + inserted;
		done = at;
	}
	return result + text.slice(done);
}

const reachedFolder = join(copy, ".reached");
/** Runs the tests with probes: for each place its test files, quick ones first; and the time that each file takes, in seconds. */
async function testsThatReach(places, tests) {
	rmSync(reachedFolder, { recursive: true, force: true });
	mkdirSync(reachedFolder);
	const setup = join(copy, "test/support/reached.ts");
	writeFileSync(
		setup,
		`import { writeFileSync } from "node:fs";
import { afterAll, expect } from "vitest";
const start = performance.now();
const reached = new Set<number>();
(globalThis as { __reached?: (id: number) => void }).__reached = (id) => reached.add(id);
afterAll(() => {
	const path = expect.getState().testPath ?? "";
	const name = path.replace(/\\W/g, "_");
	const seconds = (performance.now() - start) / 1000;
	writeFileSync(${JSON.stringify(reachedFolder)} + "/" + name, JSON.stringify({ path, seconds, reached: [...reached] }));
});
`,
	);
	const config = join(copy, "vitest.config.ts");
	const configText = readFileSync(config, "utf8");
	// Each file loads its modules itself: what runs when one is loaded is reached by all of them, not by the first.
	const apart = configText.replace("isolate,", "isolate: true,");
	writeFileSync(config, apart.replace("globalSetup:", `setupFiles: [${JSON.stringify(setup)}], globalSetup:`));
	const texts = new Map();
	for (const path of new Set(places.map((place) => place.path))) {
		const text = readFileSync(path, "utf8");
		texts.set(path, text);
		const here = places.filter((place) => place.path === path);
		writeFileSync(path, probed(text, here));
	}
	const status = await vitest(["run", ...tests], 900);
	for (const [path, text] of texts) writeFileSync(path, text);
	writeFileSync(config, configText);
	if (status !== 0) throw new Error(`The tests of ${tests.join(", ")} fail without a mutant (status ${status})`);
	const files = readdirSync(reachedFolder)
		.map((name) => JSON.parse(readFileSync(join(reachedFolder, name), "utf8")))
		.sort((a, b) => a.seconds - b.seconds);
	return (id) => files.filter(({ reached }) => reached.includes(id));
}

try {
	for (const room of rooms) {
		const all = filesBelow(join(copy, "src", room))
			.filter((path) => path.includes(values.only))
			.flatMap((path) => mutationsOf(readFileSync(path, "utf8")).map((mutation) => ({ path, mutation })));
		const count = Math.min(Number(values.mutants), all.length);
		const places = Array.from({ length: count }, (_, id) => ({ id, ...all.splice(random(all.length), 1)[0] }));
		const reaching = await testsThatReach(places, [`test/unit/${room}/`]);
		let killed = 0;
		for (const { id, path, mutation } of places) {
			const { from, to, instead } = mutation;
			const tests = reaching(id);
			const seconds = tests.reduce((sum, test) => sum + test.seconds, 0);
			const text = readFileSync(path, "utf8");
			// With the types' complaint it is no mutant that anybody would land, but tests have to see it without.
			writeFileSync(path, text.slice(0, from) + instead + text.slice(to));
			const dies = async (args, most) => (await vitest([...args, "--bail", "1", "--passWithNoTests"], most)) !== 0;
			const isQuick = (test) => test.seconds < 3;
			const fail = (some) => some.length > 0 && dies(["run", ...some.map((test) => test.path)], 30 + 5 * seconds);
			const dead =
				(await fail(tests.filter(isQuick))) ||
				(await fail(tests.filter((test) => !isQuick(test)))) ||
				(!values.own && (await dies(["related", "--run", path], 600)));
			writeFileSync(path, text);
			if (dead) killed++;
			soFar = `${room}: ${killed} of ${id + 1} killed`;
			if (dead) continue;
			const line = text.slice(0, from).split("\n").length;
			const what = `${text.slice(from, to).replace(/\s+/g, " ").slice(0, 60)} → ${instead}`;
			console.log(
				`  ${relative(copy, path)}:${line}: ${what}${tests.length > 0 ? "" : " (none of the room's reaches it)"}`,
			);
		}
		console.log(`${room}: ${killed} of ${count} killed (of ${all.length + count} places)`);
	}
} finally {
	rmSync(copy, { recursive: true, force: true });
}
