// `node scripts/mutate.mjs ROOM… [--mutants N] [--seed S] [--own]`: breaks one place at a time in src/ROOM, in a copy of the tree, and runs the
// room's unit tests, then all unit tests that depend on the file (not with --own): a mutant that they pass has survived. Prints each survivor
// as it is found, and the share killed by room. Needs a build.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
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
	},
});
if (rooms.length === 0) throw new Error("Write: node scripts/mutate.mjs ROOM… [--mutants N] [--seed S] [--own]");
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

/** Places of a file to break: [from, to, text instead]. */
function mutationsOf(text) {
	const file = ts.createSourceFile("x.ts", text, ts.ScriptTarget.Latest, true);
	const found = [];
	const replace = (node, instead) => found.push([node.getStart(file), node.getEnd(), instead]);
	const visit = (node) => {
		if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isInterfaceDeclaration(node)) return;
		if (ts.isBinaryExpression(node)) {
			const instead = operators.get(node.operatorToken.kind);
			if (instead) replace(node.operatorToken, instead);
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

/** Whether unit tests fail. Types are not asked: tests have to see a mutant without them. */
function killedBy(...args) {
	const { status } = spawnSync("npx", ["vitest", ...args, "--project", "unit", "--bail", "1", "--passWithNoTests"], {
		cwd: copy,
		timeout: 240_000,
		stdio: "ignore",
	});
	return status !== 0;
}

try {
	for (const room of rooms) {
		const all = filesBelow(join(copy, "src", room)).flatMap((path) =>
			mutationsOf(readFileSync(path, "utf8")).map((mutation) => ({ path, mutation })),
		);
		const places = all.length;
		const count = Math.min(Number(values.mutants), places);
		let killed = 0;
		for (let i = 0; i < count; i++) {
			const [{ path, mutation }] = all.splice(random(all.length), 1);
			const [from, to, instead] = mutation;
			const text = readFileSync(path, "utf8");
			writeFileSync(path, text.slice(0, from) + instead + text.slice(to));
			const dead = killedBy("run", `test/unit/${room}/`) || (!values.own && killedBy("related", "--run", path));
			writeFileSync(path, text);
			if (dead) {
				killed++;
				continue;
			}
			const line = text.slice(0, from).split("\n").length;
			console.log(
				`  ${relative(copy, path)}:${line}: ${text.slice(from, to).replace(/\s+/g, " ").slice(0, 60)} → ${instead}`,
			);
		}
		console.log(`${room}: ${killed} of ${count} killed (of ${places} places)`);
	}
} finally {
	rmSync(copy, { recursive: true, force: true });
}
