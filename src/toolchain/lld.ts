import type { Diagnostic } from "../common/diagnostic.ts";
import type { LinkJob } from "./types.ts";

/** GNU ld's flags in lld's terms. Without `--no-rosegment` xv6's exec refuses the programs' third segment. */
export function lldFlags(job: LinkJob): string[] {
	const args = ["-m", "elf64lriscv", "-z", "max-page-size=4096", "--no-rosegment"];
	const { flags } = job;
	for (let i = 0; i < flags.length; i++) {
		const flag = flags[i] as string;
		if (flag === "-m" || flag === "-A" || flag === "--architecture") i++;
		else if (flag.startsWith("-melf") || flag === "--no-warn-rwx-segments" || flag.startsWith("-march")) continue;
		else args.push(flag);
		if (flag === "-Ttext" && /^(0x)?0+$/.test(flags[i + 1] ?? "")) args.unshift("--image-base=0");
	}
	const named = flags.some(
		(flag) => flag === "-T" || flag.startsWith("--script") || /^-T(?!text|data|bss)./.test(flag),
	);
	if (job.script && !named) args.push("-T", job.script.path);
	if (job.output === "binary") args.push("--oformat=binary");
	return [...args, ...job.objects.map(({ path }) => path)];
}

/** One message and the `>>>` lines under it. */
interface Message {
	readonly severity: "error" | "warning";
	readonly text: string;
	readonly context: string[];
}

/**
 * lld's text as data: at the line of the source that refers to the symbol or defines it twice, or at the script's line. A
 * message without a place has an empty file name; the build knows the Makefile's line.
 */
export function parseLld(text: string): Diagnostic[] {
	const messages: Message[] = [];
	for (const line of text.split("\n")) {
		const head = /^(?:ld\.lld|wasm-ld): (error|warning): (.*)$/.exec(line);
		const context = /^>>> (.*)$/.exec(line)?.[1];
		if (head) messages.push({ severity: head[1] as Message["severity"], text: head[2] as string, context: [] });
		else if (context !== undefined) messages.at(-1)?.context.push(context);
	}
	return messages.map((message) => inScript(message) ?? inSources(message) ?? withoutPlace(message));
}

/** `kernel/kernel.ld:3: malformed number: ;`, the line itself and a caret. */
function inScript({ severity, text, context }: Message): Diagnostic | undefined {
	const [, file, line, message] = /^([^:]+):(\d+): (.*)$/.exec(text) ?? [];
	if (file === undefined || message === undefined) return undefined;
	const caret = context.find((each) => /^\s*\^$/.test(each))?.indexOf("^");
	const column = caret === undefined ? {} : { column: caret + 1 };
	return { file, line: Number(line), ...column, severity, message };
}

/** `referenced by vm.c:12 (kernel/vm.c:12)`, `defined at …`: what debug information tells the linker. */
function inSources({ severity, text, context }: Message): Diagnostic | undefined {
	const places = context.flatMap((each) => {
		const [, verb, file, line] = /^(referenced by|defined at) \S+ \(([^()]+):(\d+)\)$/.exec(each) ?? [];
		return file === undefined ? [] : [{ isDefinition: verb === "defined at", file, line: Number(line) }];
	});
	// Of two definitions the second is the mistake.
	if (/^duplicate symbol/.test(text)) places.reverse();
	const [first, ...others] = places;
	if (!first) return undefined;
	const notes = others.map(({ isDefinition, file, line }) => ({
		file,
		line,
		severity: "note" as const,
		message: isDefinition ? "first defined here" : "also referenced here",
	}));
	return { file: first.file, line: first.line, severity, message: text, ...(notes.length > 0 ? { notes } : {}) };
}

function withoutPlace({ severity, text, context }: Message): Diagnostic {
	return { file: "", severity, message: [text, ...context].join("; ") };
}
