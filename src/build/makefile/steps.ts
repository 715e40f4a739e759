import { UserError } from "../../common/errors.ts";
import { startOfTail } from "../../common/tail.ts";
import { parseCommands, type ShellCommand } from "./command.ts";
import type { Position } from "./lines.ts";
import { baseName, normalizePath } from "./paths.ts";

interface StepBase {
	/** Path that it makes. */
	readonly output: string;
	/** The recipe line that asks for it. */
	readonly position: Position;
}

export interface CompileStep extends StepBase {
	readonly kind: "compile";
	readonly source: string;
	readonly language: "c" | "assembly";
	readonly flags: readonly string[];
	readonly target: "riscv64" | "wasm32-wasi";
}

export interface LinkStep extends StepBase {
	readonly kind: "link";
	readonly inputs: readonly string[];
	readonly flags: readonly string[];
	/** Linker script, as a path of the tree. */
	readonly script?: string;
	readonly target: "riscv64" | "wasm32-wasi";
}

/** `objcopy -O binary`. */
interface BinaryStep extends StepBase {
	readonly kind: "binary";
	readonly input: string;
}

/** A perl script that prints its output, as usys.pl does. */
export interface GenerateStep extends StepBase {
	readonly kind: "generate";
	readonly script: string;
}

interface ConcatStep extends StepBase {
	readonly kind: "concat";
	readonly inputs: readonly string[];
}

interface TextStep extends StepBase {
	readonly kind: "text";
	readonly text: string;
}

/** mkfs: a host program makes the disk image out of files. */
export interface ImageStep extends StepBase {
	readonly kind: "image";
	/** Path of the linked mkfs. */
	readonly program: string;
	/** Its arguments without its own name: image, then files. */
	readonly args: readonly string[];
	readonly inputs: readonly string[];
}

export type Step = CompileStep | LinkStep | BinaryStep | GenerateStep | ConcatStep | TextStep | ImageStep;

/** What one recipe line amounts to. */
interface RecipeEffect {
	readonly steps: readonly Step[];
	/** Arguments of a QEMU call in it. */
	readonly qemu?: readonly string[];
	/** A call whose effect on files is not known. */
	readonly unclear?: { readonly text: string; readonly position: Position };
}

/** Programs that change nothing that the build uses: listings, clean-up, messages. */
const harmless = new Set(
	(
		"objdump nm size readelf strip rm mkdir rmdir touch chmod echo printf test [ true false : ls etags ctags sleep " +
		"exit stty which command date pwd find grep sed awk sort head tail wc git diff cmp gdb killall pkill sync"
	).split(" "),
);

const toolName =
	/(?:^|[/-])(gcc|cc|clang|ld|lld|gold|bfd|objcopy|objdump|nm|size|readelf|strip|ar|as|gas|cpp)(?:\.bfd|\.lld)?(?:-[\d.]+)?$/;

function toolOf(word: string): string {
	const base = baseName(word);
	const name = toolName.exec(word)?.[1] ?? base.slice(0, startOfTail(base, /[\d.]/));
	if (name === "clang" || name === "cc") return "gcc";
	return name === "lld" || /-ld\./.test(word) ? "ld" : name;
}

/** Compilers of languages that are not built here. */
const foreignCompiler = /(?:^|[/-])(g\+\+|clang\+\+|c\+\+|rustc|cargo)(?:-[\d.]+)?$/;
const foreignSource = /\.(?:cpp|cc|cxx|C|rs)$/;

/** What a command that was not understood compiles in another language than C; undefined where it does not. */
export function foreignLanguage(command: string): "C++" | "Rust" | undefined {
	const [program = "", ...args] = command.split(/\s+/);
	const name = foreignCompiler.exec(program)?.[1];
	if (name) return /^[rc][ua]/.test(name) ? "Rust" : "C++";
	if (toolOf(program) !== "gcc") return undefined;
	const source = args.find((arg) => foreignSource.test(arg));
	return source === undefined ? undefined : source.endsWith(".rs") ? "Rust" : "C++";
}

/** Whether a line begins as a command of a recipe does, with at least one argument. */
export function looksLikeCommand(line: string): boolean {
	const [first = "", second] = line.trim().split(/\s+/);
	const name = first.replace(/^[@-]+/, "");
	if (second === undefined || name === "") return false;
	return (
		first.startsWith("@") ||
		toolName.test(name) ||
		/qemu-system-|^(?:perl|python3?|make|cp|mv|ln|cat)$/.test(name) ||
		harmless.has(name)
	);
}

/** Interprets an expanded recipe line. `isProgram` tells whether a path is one that the build itself made. */
export function interpretLine(line: string, position: Position, isProgram: (path: string) => boolean): RecipeEffect {
	const calls = parseCommands(line);
	if (!calls) {
		const quiet = !/\b(?:gcc|clang|ld|objcopy|cp|mv|perl|python3?|cat)\b|>\s*[^&\s/]/.test(line);
		return quiet ? { steps: [] } : { steps: [], unclear: { text: line.trim(), position } };
	}
	const steps: Step[] = [];
	let qemu: readonly string[] | undefined;
	let unclear: RecipeEffect["unclear"];
	for (const call of calls) {
		const effect = interpretCall(call, position, isProgram);
		steps.push(...effect.steps);
		qemu ??= effect.qemu;
		unclear ??= effect.unclear;
	}
	return { steps, ...(qemu ? { qemu } : {}), ...(unclear ? { unclear } : {}) };
}

function interpretCall(call: ShellCommand, position: Position, isProgram: (path: string) => boolean): RecipeEffect {
	// Variables that are set for this call only.
	const start = call.words.findIndex((word) => !/^[A-Za-z_]\w*=/.test(word));
	const [first = "", ...args] = start < 0 ? [] : call.words.slice(start);
	const unclear = { steps: [], unclear: { text: [first, ...args].join(" "), position } };
	const output = call.output === undefined ? undefined : normalizePath(call.output);
	const tool = toolOf(first);
	if (/qemu-system-/.test(first)) return { steps: [], qemu: args };
	if (isProgram(normalizePath(first))) return { steps: imageSteps(normalizePath(first), args, position) };
	switch (tool) {
		case "gcc":
			return compilerSteps(first, args, position) ?? unclear;
		case "as":
		case "gas":
			return compilerSteps(first, ["-c", ...args], position) ?? unclear;
		case "ld":
			return { steps: [linkStep(args, position)] };
		case "objcopy":
			return objcopySteps(args, position) ?? unclear;
		case "perl": {
			const script = args.find((arg) => !arg.startsWith("-"));
			if (script === undefined || output === undefined || call.append) return unclear;
			return { steps: [{ kind: "generate", output, script: normalizePath(script), position }] };
		}
		case "cp":
		case "mv":
		case "ln": {
			const [from, to, ...more] = args.filter((arg) => !arg.startsWith("-"));
			if (from === undefined || to === undefined || more.length > 0) return unclear;
			return {
				steps: [{ kind: "concat", output: normalizePath(to), inputs: [normalizePath(from)], position }],
			};
		}
		case "cat": {
			if (output === undefined) return { steps: [] };
			if (call.append || args.length === 0 || call.pipes) return unclear;
			return { steps: [{ kind: "concat", output, inputs: args.map(normalizePath), position }] };
		}
		case "echo":
		case "printf": {
			if (output === undefined || output.startsWith("/dev/")) return { steps: [] };
			if (call.append || tool === "printf") return unclear;
			const text = `${args.filter((arg) => arg !== "-n").join(" ")}${args[0] === "-n" ? "" : "\n"}`;
			return { steps: [{ kind: "text", output, text, position }] };
		}
	}
	if (harmless.has(tool)) {
		// `objdump -S kernel > kernel.asm`: a listing for people. Anything else that writes a file may matter.
		const listing = output === undefined || call.piped || /\.(asm|sym|map|lst|txt)$/.test(output);
		return listing || tool === "objdump" || tool === "nm" ? { steps: [] } : unclear;
	}
	return unclear;
}

function imageSteps(program: string, args: readonly string[], position: Position): Step[] {
	const files = args.map((arg) => (arg.startsWith("-") ? arg : normalizePath(arg)));
	const [output, ...rest] = files;
	if (output === undefined) return [];
	const inputs = rest.filter((arg) => !arg.startsWith("-"));
	return [{ kind: "image", output, program, args: files, inputs, position }];
}

const compilerOptionWithArgument = new Set(
	"-I -D -U -include -imacros -isystem -idirafter -iquote -x -T -L -l -u -z -e -Xlinker -Xassembler -Xclang -target -arch -MF -MT -MQ -o --param".split(
		" ",
	),
);

/** Reads the arguments of a gcc or clang call; undefined when it does something else than compile or link. */
function compilerSteps(program: string, args: readonly string[], position: Position): RecipeEffect | undefined {
	const flags: string[] = [];
	const inputs: string[] = [];
	let output: string | undefined;
	let compileOnly = false;
	for (let i = 0; i < args.length; i++) {
		const arg = args[i] as string;
		if (arg === "-c") compileOnly = true;
		else if (arg === "-S" || arg === "-E" || arg === "-M" || arg === "-MM") return undefined;
		else if (arg === "-o") output = args[++i];
		else if (/^-o./.test(arg)) output = arg.slice(2);
		else if (compilerOptionWithArgument.has(arg)) {
			const value = args[++i] ?? "";
			if (arg !== "-MF" && arg !== "-MT" && arg !== "-MQ") flags.push(arg, value);
		} else if (arg.startsWith("-")) flags.push(arg);
		else inputs.push(normalizePath(arg));
	}
	if (inputs.length === 0) return undefined;
	const freestanding = flags.some((flag) =>
		/^(-ffreestanding|-nostdlib|-mcmodel=|-march=rv|--target=riscv)/.test(flag),
	);
	const target = program.includes("riscv") || freestanding ? "riscv64" : "wasm32-wasi";
	const isRelocatable = flags.includes("-r");
	const compileFlags = flags.filter((flag) => !/^-(Wl,|T|L|l)/.test(flag));
	const steps: Step[] = [];
	const objects: string[] = [];
	const linkFlags = new Set<string>();
	for (const source of inputs) {
		const language = /\.c$/.test(source) ? "c" : /\.(S|s)$/.test(source) ? "assembly" : undefined;
		if (!language && foreignSource.test(source)) return undefined;
		if (!language || isRelocatable) {
			objects.push(source);
			continue;
		}
		const object = compileOnly
			? normalizePath(output ?? baseName(source).replace(/\.\w+$/, ".o"))
			: `${source.replace(/\.\w+$/, "")}@${baseName(normalizePath(output ?? "a.out"))}.o`;
		objects.push(object);
		steps.push({ kind: "compile", output: object, source, language, flags: compileFlags, target, position });
	}
	if (compileOnly) return { steps };
	for (let i = 0; i < flags.length; i++) {
		const flag = flags[i] as string;
		if (flag.startsWith("-Wl,")) for (const part of flag.slice(4).split(",")) linkFlags.add(part);
		else if (/^-[TeuzL]$/.test(flag)) {
			linkFlags.add(flag).add(flags[++i] ?? "");
		} else if (/^-(T|L|l|N$|Ttext)/.test(flag)) linkFlags.add(flag);
	}
	const link = linkStep([...linkFlags, ...objects, "-o", output ?? "a.out"], position, target);
	return { steps: [...steps, link] };
}

const linkerOptionWithArgument = new Set(
	"-e --entry -z -m -L -l -Ttext -Tdata -Tbss -Map --defsym -u -y -b --format -A --architecture -rpath -h -soname -Tstack".split(
		" ",
	),
);

function linkStep(args: readonly string[], position: Position, target: LinkStep["target"] = "riscv64"): LinkStep {
	const flags: string[] = [];
	const inputs: string[] = [];
	let output = "a.out";
	let script: string | undefined;
	for (let i = 0; i < args.length; i++) {
		const arg = args[i] as string;
		if (arg === "-o") output = args[++i] ?? output;
		else if (arg === "-T" || arg === "--script") script = args[++i];
		else if (/^--script=/.test(arg)) script = arg.slice("--script=".length);
		else if (/^-T(?!text|data|bss)./.test(arg)) script = arg.slice(2);
		else if ((arg === "-b" || arg === "--format") && args[i + 1] === "binary") {
			throw new UserError(
				"makefile-not-understood",
				"The linker is asked to put a plain file into a program (-b binary), which xv6 Lab does not do",
				"Use an array in C or .incbin in an assembly file instead.",
				position,
			);
		} else if (linkerOptionWithArgument.has(arg)) flags.push(arg, args[++i] ?? "");
		else if (arg.startsWith("-")) flags.push(arg);
		else inputs.push(normalizePath(arg));
	}
	return {
		kind: "link",
		output: normalizePath(output),
		inputs,
		flags,
		...(script === undefined ? {} : { script: normalizePath(script) }),
		target,
		position,
	};
}

function objcopySteps(args: readonly string[], position: Position): RecipeEffect | undefined {
	const files: string[] = [];
	let format: string | undefined;
	let strips = true;
	for (let i = 0; i < args.length; i++) {
		const arg = args[i] as string;
		if (arg === "-O") format = args[++i];
		else if (arg.startsWith("--output-target=")) format = arg.slice("--output-target=".length);
		else if (arg === "-S" || /^--?(strip|only-keep-debug|g$)/.test(arg)) continue;
		else if (arg === "-j" || arg === "-R" || arg === "-I" || arg === "-B") {
			strips = false;
			i++;
		} else if (arg.startsWith("-")) strips = false;
		else files.push(normalizePath(arg));
	}
	const [input, output = input] = files;
	if (input === undefined || output === undefined || files.length > 2 || !strips) return undefined;
	if (format === "binary") return { steps: [{ kind: "binary", output, input, position }] };
	if (format !== undefined) return undefined;
	return { steps: output === input ? [] : [{ kind: "concat", output, inputs: [input], position }] };
}
