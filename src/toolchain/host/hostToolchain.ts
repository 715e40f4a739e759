import { fromUtf8, utf8 } from "../../common/bytes.ts";
import { UserError } from "../../common/errors.ts";
import { jobClosure } from "../includes.ts";
import type { CompileJob, CompileResult, Diagnostic, JobFiles, LinkJob, LinkResult, Toolchain } from "../types.ts";

export interface ProcessResult {
	readonly exitCode: number;
	readonly stdout: string;
	readonly stderr: string;
	readonly cpuMs: number;
}

/** Stands in an argument for the folder that the program runs in. */
export const scratchFolder = "{scratch}";
/** What that folder is called in debug information: objects are the same wherever they were made. */
const compilationFolder = "/xv6";

/** Runs programs of this machine in scratch folders; implemented in env/node. */
export interface ProcessRunner {
	/**
	 * Runs a program in a fresh folder that holds `files`, whose name replaces {@link scratchFolder}; reads `outputs` back.
	 * Rejects with `cancelled` when aborted.
	 */
	run(
		program: string,
		args: readonly string[],
		files: ReadonlyMap<string, Uint8Array>,
		outputs: readonly string[],
		signal?: AbortSignal,
	): Promise<ProcessResult & { readonly files: ReadonlyMap<string, Uint8Array> }>;
	/** Absolute path of a program on PATH, or of the path itself; undefined when there is none. */
	find(program: string): Promise<string | undefined>;
	readonly parallelism: number;
}

const prefixes = ["riscv64-unknown-elf-", "riscv64-linux-gnu-", "riscv64-elf-", "riscv-none-elf-"];

interface Tools {
	readonly compiler: string;
	/** Arguments before all others: the target for clang. */
	readonly target: readonly string[];
	readonly linker: string;
	readonly version: string;
}

const probe = "int answer(int x) { return x + 42; }\nint main(void) { return answer(0); }\n";
const machineFlags = ["-march=rv64gc", "-mabi=lp64d", "-mcmodel=medany"];

/** Finds and tries a compiler. Throws UserError `toolchain-missing` or `toolchain-broken` with what was tried. */
export async function openHostToolchain(runner: ProcessRunner, path?: string): Promise<Toolchain> {
	const tools = await findTools(runner, path);
	const inputs = new Map([["probe.c", utf8(probe)]]);
	const flags = [...tools.target, ...machineFlags, "-ffreestanding", "-nostdlib", "-c", "probe.c", "-o", "probe.o"];
	const compiled = await runner.run(tools.compiler, flags, inputs, ["probe.o"]);
	const object = compiled.files.get("probe.o");
	if (!object) throw broken(tools.compiler, compiled.stderr);
	const linked = await runner.run(
		tools.linker,
		["-e", "main", "-Ttext", "0", "-o", "probe", "probe.o"],
		new Map([["probe.o", object]]),
		["probe"],
	);
	if (!linked.files.has("probe")) throw broken(tools.linker, linked.stderr);
	return new HostToolchain(runner, tools);
}

function broken(program: string, text: string): UserError {
	const first = text.trim().split("\n")[0] ?? "";
	return new UserError(
		"toolchain-broken",
		`${program} cannot build a small program: ${first}`,
		"Use the bundled toolchain.",
	);
}

async function findTools(runner: ProcessRunner, path: string | undefined): Promise<Tools> {
	const candidates = path ? [path] : [...prefixes.map((prefix) => `${prefix}gcc`), "clang"];
	for (const candidate of candidates) {
		const compiler = await runner.find(candidate);
		if (!compiler) continue;
		const isClang = /clang[^/]*$/.test(compiler);
		const linkers = isClang
			? ["ld.lld", ...prefixes.map((prefix) => `${prefix}ld`)]
			: [compiler.replace(/gcc([^/]*)$/, "ld"), "ld.lld"];
		const found = await Promise.all(linkers.map((linker) => runner.find(linker)));
		const linker = found.find((program) => program !== undefined);
		if (!linker) continue;
		const target = isClang ? ["--target=riscv64-unknown-elf"] : [];
		const { stdout } = await runner.run(compiler, [...target, "--version"], new Map(), []);
		return { compiler, target, linker, version: stdout.split("\n")[0] ?? "" };
	}
	const tried = candidates.join(", ");
	throw new UserError(
		"toolchain-missing",
		`No RISC-V compiler was found (tried ${tried})`,
		"Use the bundled toolchain, or name one in the settings.",
	);
}

class HostToolchain implements Toolchain {
	readonly id = "host";
	readonly description: string;
	readonly version: string;
	readonly parallelism: number;

	constructor(
		private readonly runner: ProcessRunner,
		private readonly tools: Tools,
	) {
		this.description = `${tools.version} at ${tools.compiler}`;
		this.version = `${tools.version} ${tools.compiler} ${tools.linker}`;
		this.parallelism = runner.parallelism;
	}

	async compile(job: CompileJob, files: JobFiles, signal?: AbortSignal): Promise<CompileResult> {
		const inputs = jobClosure(job, files);
		const flags = job.flags.filter((flag) => !/^-M/.test(flag));
		const args = [...this.tools.target, ...machineFor(flags), ...debugFor(flags), ...flags];
		const reproducible = [`-fdebug-prefix-map=${scratchFolder}=${compilationFolder}`];
		const depend = ["-MMD", "-MF", "unit.d", "-MT", "unit"];
		const run = await this.runner.run(
			this.tools.compiler,
			[...args, ...depend, ...reproducible, "-fdiagnostics-color=never", "-c", job.source, "-o", "unit.o"],
			inputs,
			["unit.o", "unit.d"],
			signal,
		);
		const object = run.exitCode === 0 ? run.files.get("unit.o") : undefined;
		const diagnostics = parseGcc(run.stderr);
		if (!object && !diagnostics.some((diagnostic) => diagnostic.severity === "error")) {
			diagnostics.push({ file: job.source, severity: "error", message: run.stderr.trim() || "the compiler failed" });
		}
		const depends = run.files.get("unit.d");
		const includes = depends
			? fromUtf8(depends)
					.replace(/^[^:]*:/, "")
					.replace(/\\\n/g, " ")
					.trim()
					.split(/\s+/)
					.map((path) => path.replace(/^\.\//, ""))
					.filter((path) => inputs.has(path) && path !== job.source)
			: [];
		return {
			...(object ? { object } : {}),
			diagnostics,
			text: run.stderr.trim(),
			includes,
			cpuMs: run.cpuMs,
			cached: false,
		};
	}

	async link(job: LinkJob, signal?: AbortSignal): Promise<LinkResult> {
		const inputs = new Map(job.objects.map(({ path, bytes }) => [path, bytes]));
		if (job.script) inputs.set(job.script.path, utf8(job.script.text));
		const named = job.flags.some(
			(flag) => flag === "-T" || /^-T(?!text|data|bss)./.test(flag) || flag.startsWith("--script"),
		);
		const script = job.script && !named ? ["-T", job.script.path] : [];
		const format = job.output === "binary" ? ["--oformat=binary"] : [];
		const objects = job.objects.map(({ path }) => path);
		const run = await this.runner.run(
			this.tools.linker,
			[...job.flags, ...script, ...format, "-o", "image", ...objects],
			inputs,
			["image"],
			signal,
		);
		const image = run.exitCode === 0 ? run.files.get("image") : undefined;
		const diagnostics = parseLd(run.stderr);
		if (!image && !diagnostics.some((diagnostic) => diagnostic.severity === "error")) {
			diagnostics.push({ file: "", severity: "error", message: run.stderr.trim() || "the linker failed" });
		}
		return { ...(image ? { image } : {}), diagnostics, text: run.stderr };
	}

	dispose(): void {}
}

/** A Makefile that names no architecture relies on the compiler's own, which differs between distributions. */
function machineFor(flags: readonly string[]): readonly string[] {
	return flags.some((flag) => flag.startsWith("-march=")) ? [] : ["-march=rv64gc", "-mabi=lp64d"];
}

/** Debug information changes no code, and the inspector reads the kernel by it: a tree that asks for none gets it too. */
function debugFor(flags: readonly string[]): readonly string[] {
	return flags.some((flag) => /^-g/.test(flag)) ? [] : ["-g"];
}

const gccLine =
	/^(?<file>[^:\s][^:]*):(?<line>\d+):(?:(?<column>\d+):)? (?<severity>fatal error|error|warning|note): (?<message>.*)$/;
const assemblerLine = /^(?<file>[^:\s][^:]*):(?<line>\d+): (?<severity>Error|Warning): (?<message>.*)$/;

export function parseGcc(text: string): Diagnostic[] {
	const diagnostics: Diagnostic[] = [];
	for (const line of text.split("\n")) {
		const groups = (gccLine.exec(line) ?? assemblerLine.exec(line))?.groups;
		if (!groups) continue;
		const severity = (groups.severity as string).toLowerCase();
		const message = groups.message as string;
		const code = / \[(-W[^\]]+)\]$/.exec(message)?.[1]?.replace(/^-Werror=/, "-W");
		const diagnostic: Diagnostic = {
			file: (groups.file as string).replace(/^\.\//, ""),
			line: Number(groups.line),
			...(groups.column ? { column: Number(groups.column) } : {}),
			severity: severity === "warning" || severity === "note" ? severity : "error",
			message: message.replace(/ \[-W[^\]]+\]$/, ""),
			...(code ? { code } : {}),
		};
		const last = diagnostics.at(-1);
		if (diagnostic.severity === "note" && last)
			diagnostics[diagnostics.length - 1] = { ...last, notes: [...(last.notes ?? []), diagnostic] };
		else diagnostics.push(diagnostic);
	}
	return diagnostics;
}

function parseLd(text: string): Diagnostic[] {
	return text.split("\n").flatMap((line): Diagnostic[] => {
		const placed =
			/^(?:[^:\s]*ld[^:\s]*: )?(?:[^:\s]+\.o: in function `[^']*':)?(?<file>[^:\s]+\.[cS]):(?<line>\d+): (?<message>.*)$/.exec(
				line,
			)?.groups;
		if (placed) {
			return [
				{
					file: (placed.file as string).replace(/^\.\//, ""),
					line: Number(placed.line),
					severity: "error",
					message: placed.message as string,
				},
			];
		}
		const plain = /^[^:\s]*ld[^:\s]*: (warning: )?(.*)$/.exec(line);
		if (!plain || /in function/.test(plain[2] as string)) return [];
		return [{ file: "", severity: plain[1] ? "warning" : "error", message: plain[2] as string }];
	});
}
