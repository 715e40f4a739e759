import { UserError } from "../../common/errors.ts";
import { Expander, notUnderstood, type Scope, splitArguments, type Variable } from "./expand.ts";
import {
	type Assignment,
	indexOutside,
	type LogicalLine,
	logicalLines,
	type Position,
	parseAssignment,
	withoutComment,
	words,
} from "./lines.ts";
import { baseName, matchingPaths, normalizePath, stemOf } from "./paths.ts";
import { type MakefileFiles, understandShell } from "./shell.ts";
import { looksLikeCommand } from "./steps.ts";
import { entrySteps, Work } from "./work.ts";

export interface Recipe {
	readonly position: Position;
	readonly lines: readonly { readonly text: string; readonly position: Position }[];
}

/** No file's name is longer (NAME_MAX of Linux), so that looking for one in a line stays cheap. */
const longestName = 255;

export interface ExplicitRule {
	prerequisites: string[];
	readonly orderOnly: string[];
	recipe?: Recipe;
	/** What `%` of a static pattern rule matched. */
	stem?: string;
	readonly position: Position;
}

interface PatternRule {
	readonly targets: readonly string[];
	readonly prerequisites: readonly string[];
	readonly orderOnly: readonly string[];
	recipe?: Recipe;
	readonly position: Position;
}

interface ScopedAssignment {
	readonly assignment: Assignment;
	readonly position: Position;
}

/** A course's own variables given on the command line, as in `make CPUS=1`. */
export type Overrides = Readonly<Record<string, string>>;

/**
 * Reads makefiles into variables and rules, in the order and with the expansion times of GNU make (manual, 3.7
 * "How make Reads a Makefile"). No command is ever run.
 */
export class MakefileReader {
	readonly rules = new Map<string, ExplicitRule>();
	readonly patternRules: PatternRule[] = [];
	readonly expander: Expander;
	readonly work = new Work();
	private readonly variables = new Map<string, Variable>();
	private readonly targetVariables = new Map<string, ScopedAssignment[]>();
	private readonly patternVariables: { readonly pattern: string; readonly scoped: ScopedAssignment }[] = [];
	private nesting = 0;
	/** The present statement follows a rule and begins with spaces: perhaps it was to be a line of its recipe. */
	private indentedAfterRule = false;
	/** Lines of every makefile read, without comments, to find the one where a word stands. */
	private readonly sources: { readonly file: string; readonly lines: readonly string[] }[] = [];
	/** What it costs to look through them once. */
	private sourceSteps = 0;

	constructor(
		private readonly files: MakefileFiles,
		private readonly overrides: Overrides = {},
	) {
		const host = {
			paths: files.paths,
			shell: (command: string, position: Position) =>
				understandShell(command, files, (steps) => this.work.spendSteps(steps, position)),
			evaluate: (text: string, position: Position) =>
				this.readLines(logicalLines(text, position.file, position.line).map((line) => ({ ...line, position }))),
		};
		this.expander = new Expander(host, (name) => this.variables.get(name), this.work);
		const defaults = {
			CC: "cc",
			CXX: "g++",
			AS: "as",
			LD: "ld",
			AR: "ar",
			CPP: "$(CC) -E",
			RM: "rm -f",
			MAKE: "make",
			CURDIR: ".",
		};
		for (const [name, value] of Object.entries({ ...defaults, ...overrides })) this.set(name, value, true, undefined);
	}

	get globals(): Scope {
		return (name) => this.variables.get(name);
	}

	read(path: string): void {
		const text = this.files.text(path);
		if (text === undefined) return;
		this.work.spendText(text.length, { file: path, line: 1 });
		const lines = text.split(/\r?\n/).map((line) => (line.startsWith("\t#") ? "" : line.replace(/#.*/, "")));
		this.sources.push({ file: path, lines });
		this.sourceSteps += lines.length + text.length / 32;
		this.readLines(logicalLines(text, path));
	}

	/** Global value of a variable. */
	value(name: string, position: Position): string {
		return this.expander.value(name, position);
	}

	isDefined(name: string): boolean {
		return this.variables.has(name);
	}

	/** The variables as they are for one target: its own over those of the target that wants it (manual, 6.11). */
	scopeFor(target: string, position: Position, parent: Scope): Scope {
		this.work.spendSteps(entrySteps * this.patternVariables.length, position);
		const own = [
			...this.patternVariables.filter(({ pattern }) => stemOf(pattern, target) !== undefined).map((p) => p.scoped),
			...(this.targetVariables.get(target) ?? []),
		];
		if (own.length === 0) return parent;
		const values = new Map<string, Variable>();
		const scope: Scope = (name) => values.get(name) ?? parent(name);
		for (const { assignment, position } of own) {
			this.assign(assignment, position, scope, (name, variable) => values.set(name, variable));
		}
		return scope;
	}

	private set(name: string, value: string, recursive: boolean, position: Position | undefined): void {
		this.variables.set(name, { value, recursive, position });
	}

	/** `indented`: the lines are what one such statement expands to. */
	private readLines(lines: readonly LogicalLine[], indented = false): void {
		/** One entry for each open conditional: whether its present branch is live, and whether one was before. */
		const conditions: { live: boolean; taken: boolean; readonly outer: boolean; readonly position: Position }[] = [];
		// A branch is live only where the one around it is.
		const live = () => conditions.at(-1)?.live ?? true;
		let recipe: { lines: { text: string; position: Position }[] } | undefined;
		for (let i = 0; i < lines.length; i++) {
			const line = lines[i] as LogicalLine;
			const { position } = line;
			if (line.tabbed && recipe) {
				if (live()) recipe.lines.push({ text: line.text.slice(1), position });
				continue;
			}
			const text = withoutComment(line.text).trim();
			if (text === "") continue;
			const directive = /^(ifn?eq|ifn?def|else|endif)\b(?!\s*[:+?]?=)\s*/.exec(text);
			if (directive) {
				const rest = text.slice(directive[0].length);
				const name = directive[1] as string;
				const top = conditions.at(-1);
				if (name === "endif" || name === "else") {
					if (!top) throw notUnderstood(position, `'${name}' without an 'if' before it`);
					if (name === "endif") conditions.pop();
					else {
						const nested = /^(ifn?eq|ifn?def)\b\s*/.exec(rest);
						const open = top.outer && !top.taken;
						top.live = open && (!nested || this.test(nested[1] as string, rest.slice(nested[0].length), position));
						top.taken ||= top.live;
					}
				} else {
					const outer = live();
					const holds = outer && this.test(name, rest, position);
					conditions.push({ live: holds, taken: holds, outer, position });
				}
				continue;
			}
			if (/^define\b/.test(text)) {
				const end = findEndef(lines, i, position);
				if (live()) this.define(text, lines.slice(i + 1, end), position);
				i = end;
				recipe = undefined;
				continue;
			}
			if (!live()) {
				// A rule in a dead branch must not leave its recipe to the rule before it.
				if (!parseAssignment(text)) recipe = { lines: [] };
				continue;
			}
			this.indentedAfterRule = indented || (recipe !== undefined && /^ +\S/.test(line.text));
			recipe = this.statement(text, position);
		}
		const open = conditions.at(-1);
		if (open)
			throw new UserError(
				"makefile-not-understood",
				"This conditional has no 'endif'",
				"Write a line 'endif' where it is to end.",
				open.position,
			);
	}

	private define(head: string, body: readonly LogicalLine[], position: Position): void {
		const match = /^define\s+(\S+)\s*(\+=|:{0,2}=|\?=)?$/.exec(head);
		if (!match) throw notUnderstood(position, `This 'define' is not understood: ${head}`);
		const text = body.map((line) => line.text).join("\n");
		this.set(
			match[1] as string,
			match[2]?.startsWith(":") ? this.expander.expand(text, position) : text,
			true,
			position,
		);
	}

	/** Reads anything but conditionals and recipes. Returns the recipe that following tab lines belong to. */
	private statement(text: string, position: Position): { lines: { text: string; position: Position }[] } | undefined {
		const include = /^(-include|sinclude|include)\s+(.*)$/.exec(text);
		if (include) {
			this.include(include[2] as string, include[1] === "include", position);
			return undefined;
		}
		if (/^(unexport|vpath|undefine|load|-load)\b/.test(text)) {
			const undefine = /^undefine\s+(\S+)/.exec(text);
			if (undefine) this.variables.delete(undefine[1] as string);
			return undefined;
		}
		const modifiers = /^((?:export|override|private)\s+)+/.exec(text);
		const plain = modifiers ? text.slice(modifiers[0].length) : text;
		const assignment = parseAssignment(plain);
		if (assignment) {
			this.assign(assignment, position, this.globals, (name, variable) => {
				if (!Object.hasOwn(this.overrides, name)) this.variables.set(name, variable);
			});
			return undefined;
		}
		if (modifiers || /^export$/.test(text)) return undefined;
		return this.rule(text, position);
	}

	private assign(
		{ name: raw, operator, value }: Assignment,
		position: Position,
		scope: Scope,
		store: (name: string, variable: Variable) => void,
	): void {
		const name = this.expander.expand(raw, position, scope).trim();
		const before = scope(name);
		const now = (text: string) => this.expander.expand(text, position, scope);
		if (operator === "?=" && before) return;
		if (operator === "+=" && before) {
			const added = before.recursive ? value : now(value);
			const joined = before.value === "" ? added : `${before.value} ${added}`;
			store(name, { value: joined, recursive: before.recursive, position });
		} else if (operator === ":=") store(name, { value: now(value), recursive: false, position });
		else if (operator === "!=") store(name, { value: now(`$(shell ${value})`), recursive: false, position });
		else store(name, { value, recursive: true, position });
	}

	private include(list: string, required: boolean, position: Position): void {
		const expanded = this.expander.requireKnown(this.expander.expand(list, position), position);
		for (const pattern of words(expanded)) {
			// Dependency files of an earlier make: the compiler tells us the headers itself, and old ones may be stale.
			if (pattern.endsWith(".d")) continue;
			const found = this.pathsFor(normalizePath(pattern), position);
			if (found.length === 0 && required) throw notUnderstood(position, `The included file '${pattern}' is missing`);
			for (const path of found) this.readNested(path, position);
		}
	}

	private pathsFor(pattern: string, position: Position): string[] {
		return matchingPaths(pattern, this.files.paths, (steps) => this.work.spendSteps(steps, position));
	}

	private readNested(path: string, position: Position): void {
		// Far more than any tree nests: a makefile that includes itself.
		if (this.nesting >= 20) throw notUnderstood(position, `'${path}' includes itself`);
		this.nesting++;
		this.read(path);
		this.nesting--;
	}

	private test(kind: string, rest: string, position: Position): boolean {
		if (kind.endsWith("def")) {
			const name = this.expander.expand(rest.trim(), position).trim();
			const value = this.variables.get(name)?.value ?? "";
			return (value !== "") === (kind === "ifdef");
		}
		const pair = this.comparands(rest.trim(), position);
		const [left, right] = pair.map((side) => this.expander.expand(side, position));
		if (!this.expander.isKnown(`${left}${right}`)) this.expander.requireKnown(`${left}${right}`, position);
		return (left === right) === (kind === "ifeq");
	}

	private comparands(text: string, position: Position): readonly [string, string] {
		if (text.startsWith("(") && text.endsWith(")")) {
			const [left, right] = splitArguments(text.slice(1, -1), 2);
			if (left !== undefined && right !== undefined) return [left.trim(), right.trim()];
		}
		const quoted = /^(?:"([^"]*)"|'([^']*)')\s*(?:"([^"]*)"|'([^']*)')$/.exec(text);
		if (quoted) return [quoted[1] ?? quoted[2] ?? "", quoted[3] ?? quoted[4] ?? ""];
		throw notUnderstood(position, `This condition is not understood: ${text}`);
	}

	private rule(text: string, position: Position): { lines: { text: string; position: Position }[] } | undefined {
		const colon = indexOutside(text, (i) => text[i] === ":");
		if (colon < 0) {
			// A line that expands to nothing or to a rule, as $(eval …) and $(call …) do.
			const expanded = this.expander.expand(text, position);
			if (expanded.trim() === "") return undefined;
			if (expanded !== text) {
				const lines = logicalLines(expanded, position.file).map((line) => ({ ...line, position }));
				this.readLines(lines, this.indentedAfterRule);
				return undefined;
			}
			if (this.indentedAfterRule) throw spacesForTab(text, position);
			throw notUnderstood(position, `This line is neither a rule nor an assignment: ${text.slice(0, 60)}`);
		}
		// A colon does not make a rule of `sed "s/:1234/…/"` or of QEMU's `tcp::1234`.
		if (this.indentedAfterRule && looksLikeCommand(this.expander.expand(text, position)))
			throw spacesForTab(text, position);
		const targets = this.names(text.slice(0, colon), position);
		let rest = text.slice(text[colon + 1] === ":" ? colon + 2 : colon + 1).trim();
		const scoped = parseAssignment(rest.replace(/^((?:export|override|private)\s+)+/, ""));
		if (scoped) {
			this.scopeVariable(targets, { assignment: scoped, position });
			return undefined;
		}
		const lines: { text: string; position: Position }[] = [];
		const semicolon = indexOutside(rest, (i) => rest[i] === ";");
		if (semicolon >= 0) {
			lines.push({ text: rest.slice(semicolon + 1).trim(), position });
			rest = rest.slice(0, semicolon);
		}
		const parts = splitColon(this.expander.expand(rest, position));
		const [normal = "", order = ""] = (parts.at(-1) as string).split("|");
		const prerequisites = this.names(normal, position);
		const orderOnly = this.names(order, position);
		const recipe = { lines, position };
		if (parts.length > 1)
			this.addStatic(targets, this.names(parts[0] as string, position), prerequisites, orderOnly, recipe);
		else if (targets.some((target) => target.includes("%"))) {
			this.patternRules.push({ targets, prerequisites, orderOnly, recipe, position });
		} else for (const target of targets) this.addRule(target, prerequisites, orderOnly, recipe);
		return recipe;
	}

	private names(text: string, position: Position): string[] {
		const expanded = this.expander.requireKnown(this.expander.expand(text, position), position);
		return words(expanded).flatMap((name) => {
			const path = normalizePath(name);
			if (!/[*?[]/.test(path)) return [path];
			const found = this.pathsFor(path, position);
			return found.length > 0 ? found : [path];
		});
	}

	private addStatic(
		targets: readonly string[],
		patterns: readonly string[],
		prerequisites: readonly string[],
		orderOnly: readonly string[],
		recipe: Recipe,
	): void {
		for (const target of targets) {
			this.work.spendSteps(entrySteps * patterns.length, recipe.position);
			const stem = patterns.map((pattern) => stemOf(pattern, target)).find((found) => found !== undefined);
			if (stem === undefined) continue;
			const filled = (names: readonly string[]) => names.map((name) => name.replace("%", () => stem));
			this.addRule(target, filled(prerequisites), filled(orderOnly), recipe, stem);
		}
	}

	private addRule(
		target: string,
		prerequisites: readonly string[],
		orderOnly: readonly string[],
		recipe: Recipe,
		stem?: string,
	): void {
		this.work.spendSteps(entrySteps * (1 + prerequisites.length + orderOnly.length), recipe.position);
		const suffixes = /^(\.[A-Za-z]+)(\.[A-Za-z]+)$/.exec(target);
		if (suffixes && prerequisites.length === 0) {
			// The old way to write `%.o: %.c`.
			this.patternRules.push({
				targets: [`%${suffixes[2]}`],
				prerequisites: [`%${suffixes[1]}`],
				orderOnly: [],
				recipe,
				position: recipe.position,
			});
			return;
		}
		let rule = this.rules.get(target);
		if (!rule) {
			rule = { prerequisites: [], orderOnly: [], position: recipe.position };
			this.rules.set(target, rule);
		}
		// The rule with the recipe says what `$<` is.
		if (stem !== undefined) rule.stem = stem;
		for (const name of prerequisites) rule.prerequisites.push(name);
		for (const name of orderOnly) rule.orderOnly.push(name);
		this.candidates.push({ rule, recipe, prerequisites });
	}

	private readonly candidates: { rule: ExplicitRule; recipe: Recipe; prerequisites: readonly string[] }[] = [];

	/** Recipes are known only after all lines are read; the last one of a target counts. */
	finish(): void {
		for (const { rule, recipe, prerequisites } of this.candidates) {
			if (recipe.lines.length === 0) continue;
			this.work.spendSteps(entrySteps * rule.prerequisites.length, recipe.position);
			rule.recipe = recipe;
			const first = new Set(prerequisites);
			rule.prerequisites = [...prerequisites, ...rule.prerequisites.filter((name) => !first.has(name))];
		}
	}

	private scopeVariable(targets: readonly string[], scoped: ScopedAssignment): void {
		for (const target of targets) {
			this.work.spendSteps(entrySteps, scoped.position);
			const known = this.targetVariables.get(target);
			if (target.includes("%")) this.patternVariables.push({ pattern: target, scoped });
			else if (known) known.push(scoped);
			else this.targetVariables.set(target, [scoped]);
		}
	}

	/** Line where a word stands in one of the makefiles, for messages about what it names. */
	locate(word: string): Position | undefined {
		if (word.length > longestName) return undefined;
		const pattern = new RegExp(`(?<![\\w.-])${word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?![\\w-])`);
		return this.findLine((line) => line.includes(word) && pattern.test(line));
	}

	/** Line where a path is written, in whatever way: `$U/_cat` and `$(U)/_cat` are `user/_cat`. */
	locatePath(path: string): Position | undefined {
		const name = baseName(path);
		if (name.length > longestName) return undefined;
		// Most lines do not have it, and a plan asks for every object.
		return this.findLine(
			(line, position) =>
				line.includes(name) &&
				this.tokens(line, position)
					.filter((token) => token.endsWith(name) && /^(?:[^$]|\$\w|\$\(\w+\)|\$\{\w+\})*$/.test(token))
					.some((token) => normalizePath(this.expander.expand(token, position)) === path),
		);
	}

	private tokens(line: string, position: Position): string[] {
		this.work.spendSteps(line.length, position);
		return line.split(/[\s\\:]+/);
	}

	private findLine(matches: (line: string, position: Position) => boolean): Position | undefined {
		for (const { file, lines } of this.sources) {
			this.work.spendSteps(this.sourceSteps, { file, line: 1 });
			for (const [i, line] of lines.entries()) {
				const position = { file, line: i + 1 };
				if (matches(line, position)) return position;
			}
		}
		return undefined;
	}
}

function spacesForTab(text: string, position: Position): UserError {
	return new UserError(
		"makefile-not-understood",
		`A line of a recipe must begin with a tab, and this one begins with spaces: ${text.slice(0, 60)}`,
		"Replace the spaces at its beginning by one tab.",
		position,
	);
}

function findEndef(lines: readonly LogicalLine[], start: number, position: Position): number {
	let depth = 0;
	for (let i = start; i < lines.length; i++) {
		const text = (lines[i] as LogicalLine).text.trim();
		if (/^define\b/.test(text)) depth++;
		else if (/^endef\b/.test(text) && --depth === 0) return i;
	}
	throw notUnderstood(position, "This 'define' has no 'endef'");
}

/** `target-pattern: prerequisites` of a static pattern rule. */
function splitColon(text: string): string[] {
	const at = text.indexOf(":");
	return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
