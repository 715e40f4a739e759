import type { Diagnostic } from "../../common/diagnostic.ts";
import { UserError } from "../../common/errors.ts";
import { limits } from "../../common/limits.ts";
import { asTooLong } from "../../common/tooLong.ts";
import { ignoreRuleFor } from "../gitignore.ts";
import { notUnderstood, type Scope, type Variable } from "./expand.ts";
import { type Position, words } from "./lines.ts";
import { baseName, folderOf, normalizePath, stemOf } from "./paths.ts";
import { type ExplicitRule, MakefileReader, type Overrides, type Recipe } from "./reader.ts";
import type { MakefileFiles } from "./shell.ts";
import { foreignLanguage, type ImageStep, interpretLine, type Step } from "./steps.ts";
import { entrySteps } from "./work.ts";

/** Everything that has to be done to get kernel and disk image, and what the Makefile says about the machine. */
export interface BuildPlan {
	/** By the path that each makes. Whatever is not in here is a file of the tree. */
	readonly steps: ReadonlyMap<string, Step>;
	readonly kernel: string;
	readonly disk: string;
	/** Arguments of the Makefile's own QEMU call, empty when it has none. */
	readonly qemu: readonly string[];
	/** Targets without a rule or a file: the build cannot succeed, but other files may still be compiled. */
	readonly problems: readonly Diagnostic[];
	/** Line of the makefile where a word stands. */
	locate(word: string): Position | undefined;
	/** Line of the makefile where a path is written. */
	locatePath(path: string): Position | undefined;
}

const makefileNames = ["GNUmakefile", "makefile", "Makefile"];

/** Reads the tree's Makefile and works out what `make kernel fs.img`, or only one of them, would do, without running anything. */
export function planBuild(
	label: string,
	files: MakefileFiles,
	overrides: Overrides = {},
	only?: "kernel" | "disk",
): BuildPlan {
	const makefile = makefileNames.find((name) => files.paths.includes(name));
	const withCMake = () =>
		new UserError(
			"not-an-xv6-tree",
			`${label} is built with CMake, and xv6 Lab reads Makefiles`,
			"Build it with CMake and boot the result with xv6-lab boot --kernel, or add a Makefile.",
			{ file: "CMakeLists.txt", line: 1 },
		);
	const hasCMake = files.paths.includes("CMakeLists.txt");
	if (!makefile && hasCMake) throw withCMake();
	if (!makefile) {
		throw new UserError(
			"not-an-xv6-tree",
			`${label} has no Makefile`,
			"Open the folder that holds xv6's Makefile, kernel/ and user/.",
		);
	}
	try {
		return planOf(makefile, hasCMake ? withCMake : undefined, files, overrides, only);
	} catch (error) {
		throw asTooLong(error, { file: makefile, line: 1 });
	}
}

function planOf(
	makefile: string,
	withCMake: (() => UserError) | undefined,
	files: MakefileFiles,
	overrides: Overrides,
	only: "kernel" | "disk" | undefined,
): BuildPlan {
	const reader = new MakefileReader(files, overrides);
	reader.read(makefile);
	reader.finish();
	const planner = new Planner(reader, files, makefile);
	const qemu = planner.qemuArguments();
	const kernel = normalizePath(argumentOf(qemu, "-kernel") ?? "kernel/kernel");
	const disk = normalizePath(diskOf(qemu) ?? "fs.img");
	// Some trees reach the kernel only through the rule that boots it.
	if (!planner.canMake(kernel)) {
		for (const name of reader.rules.get("qemu")?.prerequisites ?? []) planner.make(name, "qemu", reader.globals);
	}
	if (!planner.steps.has(kernel) && !planner.canMake(kernel)) {
		// A Makefile that only calls cmake.
		if (withCMake) throw withCMake();
		throw new UserError(
			"not-an-xv6-tree",
			`The Makefile has no rule that makes ${kernel}`,
			"Open the folder that holds xv6's Makefile, kernel/ and user/.",
			{ file: makefile },
		);
	}
	if (only !== "disk") planner.make(kernel, undefined, reader.globals);
	if (only !== "kernel") planner.make(disk, undefined, reader.globals);
	return {
		steps: planner.steps,
		kernel,
		disk,
		qemu,
		problems: planner.problems,
		locate: (w) => reader.locate(w),
		locatePath: (path) => reader.locatePath(path),
	};
}

export function argumentOf(args: readonly string[], name: string): string | undefined {
	const at = args.indexOf(name);
	return at < 0 ? undefined : args[at + 1];
}

/** File of the first `-drive`. */
function diskOf(args: readonly string[]): string | undefined {
	return args.map((arg) => /(?:^|,)file=([^,]+)/.exec(arg)?.[1]).find((file) => file !== undefined);
}

/**
 * Rules that make knows without being told (GNU make manual, 10.2), as far as C and assembly go. Assembly gets no
 * CFLAGS; the `-g` is ours, so that its lines can be shown.
 */
const builtinRules = [
	{ target: "%.o", source: "%.c", recipe: "$(CC) $(CFLAGS) $(CPPFLAGS) $(TARGET_ARCH) -c -o $@ $<" },
	{ target: "%.o", source: "%.S", recipe: "$(CC) -g $(ASFLAGS) $(CPPFLAGS) $(TARGET_MACH) -c -o $@ $<" },
	{ target: "%.o", source: "%.s", recipe: "$(AS) $(ASFLAGS) $(TARGET_MACH) -o $@ $<" },
] as const;

/** For a rule that may apply, and for each name in it: texts are made and compared, and some are looked for in their turn. */
const candidateSteps = 8 * entrySteps;
/** Each target of a chain is a few calls deep. xv6's longest is 4. */
const longestChain = 500;

interface Implicit {
	readonly stem: string;
	readonly prerequisites: readonly string[];
	/** Those of the prerequisites that the stem is part of. */
	readonly derived: readonly string[];
	readonly orderOnly: readonly string[];
	readonly recipe: Recipe;
}

class Planner {
	readonly steps = new Map<string, Step>();
	readonly problems: Diagnostic[] = [];
	private readonly made = new Set<string>();
	private depth = 0;
	private readonly inTree: ReadonlySet<string>;

	/** Where messages point that have no line of their own. */
	private readonly start: Position;

	constructor(
		private readonly reader: MakefileReader,
		private readonly files: MakefileFiles,
		makefile: string,
	) {
		this.start = { file: makefile, line: 1 };
		this.inTree = new Set(files.paths);
	}

	canMake(target: string): boolean {
		return this.reader.rules.get(target)?.recipe !== undefined || this.implicit(target, 0) !== undefined;
	}

	/** Plans one target and all that it needs. `parent` carries target-specific variables down (manual, 6.11). */
	make(target: string, neededBy: string | undefined, parent: Scope): void {
		if (this.made.has(target)) return;
		this.made.add(target);
		const rule = this.reader.rules.get(target);
		if (++this.depth > longestChain) throw chainTooLong(target, rule?.position ?? this.start);
		this.makeNew(target, neededBy, parent, rule);
		this.depth--;
	}

	private makeNew(target: string, neededBy: string | undefined, parent: Scope, rule: ExplicitRule | undefined): void {
		const implicit = rule?.recipe ? undefined : this.implicit(target, 0);
		const recipe = rule?.recipe ?? implicit?.recipe;
		const prerequisites = [...(implicit?.prerequisites ?? []), ...(rule?.prerequisites ?? [])];
		const orderOnly = [...(implicit?.orderOnly ?? []), ...(rule?.orderOnly ?? [])];
		if (!recipe && prerequisites.length === 0 && !rule) {
			if (!this.inTree.has(target) && !this.steps.has(target)) this.missing(target, neededBy);
			return;
		}
		const position = rule?.position ?? implicit?.recipe.position ?? this.start;
		this.reader.work.spendSteps(entrySteps * (prerequisites.length + orderOnly.length), position);
		const scope = this.reader.scopeFor(target, position, parent);
		for (const name of [...prerequisites, ...orderOnly]) this.make(name, target, scope);
		if (recipe)
			this.follow(target, recipe, [...new Set(prerequisites)], orderOnly, implicit?.stem ?? rule?.stem, scope);
	}

	private follow(
		target: string,
		recipe: Recipe,
		prerequisites: readonly string[],
		orderOnly: readonly string[],
		stem: string | undefined,
		scope: Scope,
	): void {
		this.reader.work.spendSteps(
			prerequisites.reduce((sum, name) => sum + name.length, 0),
			recipe.position,
		);
		const automatic = automaticVariables(target, prerequisites, orderOnly, stem, scope);
		let unclear: { text: string; position: Position } | undefined;
		for (const { text, position } of recipe.lines) {
			for (const line of this.reader.expander.expand(text, position, automatic).split("\n")) {
				const effect = interpretLine(line, position, (path) => this.isHostProgram(path));
				unclear ??= effect.unclear;
				for (const step of effect.steps) this.add(step, scope);
			}
		}
		if (!unclear) return;
		const touches = words(unclear.text.replace(/[<>"']/g, " ")).map(normalizePath);
		// A program of its own that works on what is needed could change anything about it.
		if (!this.steps.has(target) || touches.some((word) => word === target || this.steps.get(word)?.kind === "link")) {
			if (this.inTree.has(target) && !this.steps.has(target)) return;
			if (target === "clean" || !isFileLike(target)) return;
			this.reader.expander.requireKnown(unclear.text, unclear.position);
			const language = foreignLanguage(unclear.text);
			if (language) {
				throw new UserError(
					"makefile-not-understood",
					`'${target}' is compiled from ${language}, and xv6 Lab builds only C and assembly: ${unclear.text.slice(0, 100)}`,
					"Write it in C, or build with make and boot the result with xv6-lab boot --kernel FILE --disk FILE.",
					unclear.position,
				);
			}
			throw notUnderstood(
				unclear.position,
				`The recipe of '${target}' runs something that xv6 Lab does not know: ${unclear.text.slice(0, 100)}`,
			);
		}
	}

	private add(step: Step, scope: Scope): void {
		for (const text of textsOf(step)) this.reader.expander.requireKnown(text, step.position);
		this.made.add(step.output);
		this.steps.set(step.output, step);
		if (this.steps.size > limits.buildFiles) throw tooManyFiles(step.position);
		for (const input of inputsOf(step)) this.make(input, step.output, scope);
		if (step.kind === "image") this.made.add(step.program);
	}

	/** A program for the host that this build links: mkfs. */
	private isHostProgram(path: string): boolean {
		const step = this.steps.get(path);
		return step?.kind === "link" && step.target === "wasm32-wasi";
	}

	/** The pattern rule for a target: of those whose prerequisites can be had, the one with the shortest stem. */
	private implicit(target: string, depth: number): Implicit | undefined {
		// Chains of implicit rules are short in practice (.y → .c → .o); longer ones would be loops.
		if (depth > 3 || this.inSpecialUse(target)) return undefined;
		const { work } = this.reader;
		const candidates: Implicit[] = [];
		for (const rule of this.reader.patternRules) {
			work.spendSteps(entrySteps * rule.targets.length, rule.position);
			if (rule.recipe?.lines.length === 0 || !rule.recipe) continue;
			for (const pattern of rule.targets) {
				const match = matchTarget(pattern, target);
				if (!match) continue;
				work.spendSteps(candidateSteps * (1 + rule.prerequisites.length + rule.orderOnly.length), rule.position);
				const fill = (name: string) =>
					name.includes("%") ? normalizePath(match.folder + name.replace("%", () => match.stem)) : name;
				candidates.push({
					stem: match.folder + match.stem,
					prerequisites: rule.prerequisites.map(fill),
					derived: rule.prerequisites.filter((name) => name.includes("%")).map(fill),
					orderOnly: rule.orderOnly.map(fill),
					recipe: rule.recipe,
				});
			}
		}
		candidates.sort((a, b) => a.stem.length - b.stem.length);
		const position = this.reader.locatePath(target) ?? this.reader.locate(baseName(target)) ?? this.start;
		for (const { target: pattern, source, recipe } of builtinRules) {
			const stem = stemOf(pattern, target);
			if (stem === undefined) continue;
			candidates.push({
				stem,
				prerequisites: [source.replace("%", () => stem)],
				derived: [source.replace("%", () => stem)],
				orderOnly: [],
				recipe: { position, lines: [{ text: recipe, position }] },
			});
		}
		const obtainable = (name: string) =>
			this.inTree.has(name) || this.reader.rules.has(name) || this.steps.has(name) || this.implicit(name, depth + 1);
		// Where only the library is incomplete the rule still applies, so that the message is about the library.
		return (
			candidates.find((candidate) => candidate.prerequisites.every(obtainable)) ??
			candidates.find(({ derived }) => derived.length > 0 && derived.every(obtainable))
		);
	}

	private inSpecialUse(target: string): boolean {
		return /^\.[A-Z_]+$/.test(target);
	}

	private missing(target: string, neededBy: string | undefined): void {
		const source = target.replace(/(?:^|(?<=\/))_?([^/]*?)(\.o)?$/, "$1");
		const isProgram = baseName(target).startsWith("_") || target.endsWith(".o");
		const position = this.lineFor(target, neededBy);
		const what = isProgram ? `${source}.c` : target;
		const user = neededBy ?? "the build";
		const rule = ignoreRuleFor(what, this.files, (steps) => this.reader.work.spendSteps(steps, position));
		const note: Diagnostic | undefined = rule && {
			file: rule.file,
			line: rule.line,
			severity: "note",
			message: `git leaves ${what} out because of the rule '${rule.pattern}': it was perhaps never committed (git add -f ${what})`,
		};
		const other = [".cpp", ".cc", ".cxx", ".rs"].find((suffix) => this.inTree.has(source + suffix));
		this.problems.push({
			...position,
			severity: "error",
			message: other
				? `${target} is made from ${source}${other}, and xv6 Lab builds only C and assembly`
				: isProgram && neededBy !== undefined
					? `there is no ${what} (or ${source}.S) to make ${target} from, which ${user} needs`
					: `${what} is missing, which ${user} needs`,
			code: "missing-file",
			...(note ? { notes: [note] } : {}),
		});
	}

	private lineFor(target: string, neededBy: string | undefined): Position {
		const stem = target.replace(/\.\w+$/, "");
		for (const path of [target, `${folderOf(stem)}_${baseName(stem)}`, stem]) {
			const found = this.reader.locatePath(path);
			if (found) return found;
		}
		const found = this.reader.locate(baseName(target)) ?? this.reader.locate(baseName(stem));
		if (found) return found;
		const rule = neededBy === undefined ? undefined : this.reader.rules.get(neededBy);
		return rule?.recipe?.position ?? rule?.position ?? this.start;
	}

	/** Arguments of the QEMU call of the `qemu` rule, or of `QEMUOPTS` where there is none. */
	qemuArguments(): readonly string[] {
		const at = this.start;
		const globals = this.reader.globals;
		for (const target of ["qemu", "run", "qemu-nox", "all"]) {
			const recipe = this.reader.rules.get(target)?.recipe;
			if (!recipe) continue;
			const scope = this.reader.scopeFor(target, recipe.position, globals);
			for (const { text, position } of recipe.lines) {
				const { qemu } = interpretLine(this.reader.expander.expand(text, position, scope), position, () => false);
				if (qemu) return qemu;
			}
		}
		return this.reader.isDefined("QEMUOPTS") ? words(this.reader.value("QEMUOPTS", at)) : [];
	}
}

function chainTooLong(target: string, position: Position): UserError {
	return new UserError(
		"limit-reached",
		`The chain of targets that leads to '${target.slice(0, 60)}' has more than ${longestChain}, which is the limit`,
		"Let targets name what they need directly.",
		position,
	);
}

function tooManyFiles(position: Position): UserError {
	return new UserError(
		"limit-reached",
		`This Makefile makes more than ${limits.buildFiles} files, which is the limit`,
		"Leave out what the kernel and its disk do not need.",
		position,
	);
}

function isFileLike(target: string): boolean {
	return /[./]/.test(target);
}

export function inputsOf(step: Step): readonly string[] {
	switch (step.kind) {
		case "compile":
			return [step.source];
		case "link":
			return step.script === undefined ? step.inputs : [...step.inputs, step.script];
		case "binary":
			return [step.input];
		case "generate":
			return [step.script];
		case "concat":
			return step.inputs;
		case "image":
			return [step.program, ...step.inputs];
		case "text":
			return [];
	}
}

function textsOf(step: Step): readonly string[] {
	const flags = step.kind === "compile" || step.kind === "link" ? step.flags : [];
	return [step.output, ...inputsOf(step), ...flags];
}

/** Programs of the image: each argument that the build links. */
export function programsOf(plan: BuildPlan): { readonly path: string; readonly image: ImageStep }[] {
	const image = plan.steps.get(plan.disk);
	if (image?.kind !== "image") return [];
	return image.inputs.filter((path) => plan.steps.get(path)?.kind === "link").map((path) => ({ path, image }));
}

/**
 * Matches a target pattern. One without a slash is matched against the file name alone, and the folder is put before
 * the stem's prerequisites (manual, 10.5.4).
 */
function matchTarget(pattern: string, target: string): { folder: string; stem: string } | undefined {
	if (!pattern.includes("/")) {
		const stem = stemOf(pattern, baseName(target));
		return stem === undefined ? undefined : { folder: folderOf(target), stem };
	}
	const stem = stemOf(pattern, target);
	return stem === undefined ? undefined : { folder: "", stem };
}

function automaticVariables(
	target: string,
	prerequisites: readonly string[],
	orderOnly: readonly string[],
	stem: string | undefined,
	parent: Scope,
): Scope {
	const all = prerequisites.join(" ");
	const values: Record<string, string> = {
		"@": target,
		"<": prerequisites[0] ?? "",
		"^": all,
		"+": all,
		"?": all,
		"|": orderOnly.join(" "),
		"*": stem ?? target.replace(/\.[^./]*$/, ""),
	};
	return (name): Variable | undefined => {
		const part = /^([@<^+?|*])([DF]?)$/.exec(name);
		if (!part) return parent(name);
		const value = values[part[1] as string] as string;
		const files = words(value);
		const folder = (file: string) => folderOf(file).replace(/(.)\/$/, "$1") || ".";
		if (part[2] === "D") return { value: files.map(folder).join(" "), recursive: false, position: undefined };
		if (part[2] === "F") return { value: files.map(baseName).join(" "), recursive: false, position: undefined };
		return { value, recursive: false, position: undefined };
	};
}
