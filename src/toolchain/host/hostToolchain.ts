import { fromUtf8, utf8 } from "../../common/bytes.ts";
import type { Diagnostic } from "../../common/diagnostic.ts";
import { UserError } from "../../common/errors.ts";
import type { ObjectCache } from "../cache.ts";
import { compileCached, linkCached } from "../cached.ts";
import { compilationFolder } from "../folder.ts";
import { lldFlags, parseLld } from "../lld.ts";
import type { CompileJob, CompileResult, JobFiles, LinkJob, LinkResult, Toolchain } from "../types.ts";
import { parseGcc, parseLd } from "./diagnostics.ts";
import { hostCompilerFlags, hostLinkerFlags, refusedFlags, staysInside } from "./flags.ts";
import { type ProcessRunner, scratchFolder } from "./processRunner.ts";
import { reachOfAssembly, reachOfObjects, reachOfScript, reachOfSources } from "./reach.ts";
import type { HostTools } from "./tools.ts";

type JobInputs = ReadonlyMap<string, Uint8Array>;

/** A compiler of this machine with the same interface as the bundled one; each job runs in a folder of its own. */
export class HostToolchain implements Toolchain {
	readonly id = "host";
	readonly description: string;
	readonly version: string;
	readonly parallelism: number;

	constructor(
		private readonly runner: ProcessRunner,
		private readonly tools: HostTools,
		private readonly cache: ObjectCache,
		/** See `toolchainSources`; needed where the cache outlives the process. */
		sources = "",
	) {
		this.description = `${tools.version} at ${tools.compiler}${tools.sandboxed ? ", shut in" : ""}`;
		this.version = `${tools.version} ${tools.compiler} ${tools.linker}, sources ${sources}`;
		this.parallelism = runner.parallelism;
	}

	compile(job: CompileJob, files: JobFiles, signal?: AbortSignal): Promise<CompileResult> {
		return compileCached(this.cache, this.version, job, files, async (inputs) => {
			try {
				return await this.compileNow(job, inputs, signal);
			} catch (error) {
				return { diagnostics: [limitAt(error, job.source)], text: "", includes: [], cpuMs: 0 };
			}
		});
	}

	link(job: LinkJob, signal?: AbortSignal): Promise<LinkResult> {
		return linkCached(this.cache, this.version, job, async () => {
			try {
				return await this.linkNow(job, signal);
			} catch (error) {
				return { diagnostics: [limitAt(error, "")], text: "" };
			}
		});
	}

	/**
	 * In two steps, so that what the assembler gets is seen before it: the preprocessor and the compiler make assembly, and
	 * `.incbin` in a string of inline assembly, or made by a macro, is a plain directive there.
	 */
	private async compileNow(job: CompileJob, inputs: JobInputs, signal: AbortSignal | undefined) {
		const { flags, refused } = hostCompilerFlags(job.flags);
		const diagnostics = refusedFlags(refused, job.source, "compiler");
		const files = withoutPrecompiled(inputs);
		const reach = staysInside(job.source) ? reachOfSources(job, files) : [unsafeName(job.source)];
		if (reach.length > 0) return { diagnostics: [...diagnostics, ...reach], text: "", includes: [], cpuMs: 0 };
		const first = /\.s$/.test(job.source)
			? plainAssembly(files.get(job.source))
			: await this.toAssembly(job, flags, files, signal);
		const said = { text: first.stderr.trim(), includes: includesOf(first.files.get("unit.d"), job, files) };
		diagnostics.push(...parseGcc(first.stderr));
		const assembly = first.exitCode === 0 ? first.files.get("unit.s") : undefined;
		if (!assembly) return { ...said, diagnostics: withError(diagnostics, job, first.stderr), cpuMs: first.cpuMs };
		const directives = reachOfAssembly(fromUtf8(assembly), job.source, files);
		if (directives.length > 0) return { ...said, diagnostics: [...diagnostics, ...directives], cpuMs: first.cpuMs };
		const second = await this.toObject(job, flags, new Map([...files, ["unit.s", assembly]]), signal);
		const object = second.exitCode === 0 ? second.files.get("unit.o") : undefined;
		diagnostics.push(...parseGcc(second.stderr).map((each) => atSource(each, job.source)));
		return {
			...(object ? { object } : {}),
			diagnostics: object ? diagnostics : withError(diagnostics, job, second.stderr),
			text: [said.text, second.stderr.trim()].filter((text) => text !== "").join("\n"),
			includes: said.includes,
			cpuMs: first.cpuMs + second.cpuMs,
		};
	}

	private toAssembly(job: CompileJob, flags: readonly string[], files: JobInputs, signal: AbortSignal | undefined) {
		const machine = [...this.tools.target, ...machineFor(flags), ...debugFor(flags), ...this.withNewerDwarf(flags)];
		// gcc 12 and later take the shell of older trees for an endless recursion; before, the flag means nothing.
		const relaxed = ["-Wno-infinite-recursion"];
		const depend = ["-MMD", "-MF", "unit.d", "-MT", "unit"];
		const mode = job.kind === "c" ? "-S" : "-E";
		// With an assembler inside, clang -S does what inline assembly says and prints the result: the bytes of an .incbin. (The driver has no such option for bare metal.)
		const asWritten = this.isClang && job.kind === "c" ? ["-Xclang", "-no-integrated-as"] : [];
		const language = job.kind === "c" ? [] : ["-x", "assembler-with-cpp"];
		const args = [...machine, ...asWritten, ...relaxed, ...depend, ...reproducible, "-fdiagnostics-color=never", mode];
		return this.runner.run(
			this.tools.compiler,
			[...args, ...language, job.source, "-o", "unit.s"],
			files,
			["unit.s", "unit.d"],
			{ signal, sandboxed: this.tools.sandboxed },
		);
	}

	private toObject(job: CompileJob, flags: readonly string[], files: JobInputs, signal: AbortSignal | undefined) {
		// The compiler has written its debug information as directives; the assembler makes that of assembly.
		const debug =
			job.kind === "c" ? [] : [...debugFor(flags), ...this.withNewerDwarf(flags).filter((flag) => /^-g/.test(flag))];
		const machine = [...this.tools.target, ...machineFor(flags), ...flags.filter((flag) => /^-m/.test(flag))];
		return this.runner.run(
			this.tools.compiler,
			[...machine, ...debug, ...reproducible, "-c", "-x", "assembler", "unit.s", "-o", "unit.o"],
			files,
			["unit.o"],
			{ signal, sandboxed: this.tools.sandboxed },
		);
	}

	private get isClang(): boolean {
		return this.tools.target.length > 0;
	}

	/** clang warns of xv6's DWARF 2 at every assembly file with a second section. */
	private withNewerDwarf(flags: readonly string[]): readonly string[] {
		return this.isClang ? flags.map((flag) => (flag === "-gdwarf-2" ? "-gdwarf-4" : flag)) : flags;
	}

	private async linkNow(job: LinkJob, signal: AbortSignal | undefined): Promise<LinkResult> {
		const { flags, refused } = hostLinkerFlags(job.flags);
		const diagnostics = refusedFlags(refused, "", "linker");
		const reach = [...reachOfScript(job), ...reachOfObjects(job)];
		if (job.script && !staysInside(job.script.path)) reach.push(unsafeName(job.script.path));
		if (reach.length > 0) return { diagnostics: [...diagnostics, ...reach], text: "" };
		const inputs = new Map(job.objects.map(({ path, bytes }) => [path, bytes]));
		if (job.script) inputs.set(job.script.path, utf8(job.script.text));
		const isLld = /ld\.lld[^/\\]*$/.test(this.tools.linker);
		const checked = { ...job, flags };
		const args = isLld ? ["--no-dependent-libraries", ...lldFlags(checked)] : gnuFlags(checked);
		const run = await this.runner.run(this.tools.linker, [...args, "-o", "image"], inputs, ["image"], {
			signal,
			sandboxed: this.tools.sandboxed,
		});
		const image = run.exitCode === 0 ? run.files.get("image") : undefined;
		diagnostics.push(...(isLld ? parseLld(run.stderr) : parseLd(run.stderr)));
		if (!image && !diagnostics.some((diagnostic) => diagnostic.severity === "error")) {
			diagnostics.push({ file: "", severity: "error", message: run.stderr.trim() || "the linker failed" });
		}
		return { ...(image ? { image } : {}), diagnostics, text: run.stderr };
	}

	dispose(): void {}
}

function gnuFlags({ flags, script, output, objects }: LinkJob): string[] {
	const named = flags.some(
		(flag) => flag === "-T" || /^-T(?!text|data|bss)./.test(flag) || flag.startsWith("--script"),
	);
	return [
		...flags,
		...(script && !named ? ["-T", script.path] : []),
		...(output === "binary" ? ["--oformat=binary"] : []),
		...objects.map(({ path }) => path),
	];
}

const reproducible = [`-fdebug-prefix-map=${scratchFolder}=${compilationFolder}`];

/** Assembly without a preprocessor is what the assembler gets. */
function plainAssembly(source: Uint8Array | undefined): Awaited<ReturnType<ProcessRunner["run"]>> {
	const files = new Map(source ? [["unit.s", source] as const] : []);
	return { exitCode: 0, stdout: "", stderr: "", cpuMs: 0, files };
}

/** A line of the assembly in between is none of the tree. */
function atSource(diagnostic: Diagnostic, source: string): Diagnostic {
	if (diagnostic.file !== "unit.s") return diagnostic;
	if (source.endsWith(".s")) return { ...diagnostic, file: source };
	const { line: _line, column: _column, ...rest } = diagnostic;
	return { ...rest, file: source };
}

/** A precompiled header is an image of the compiler's memory: a tree's own is never loaded. */
function withoutPrecompiled(inputs: JobInputs): JobInputs {
	return new Map([...inputs].filter(([path]) => staysInside(path) && !/\.(?:gch|pch|pcm)(?:\/|$)/i.test(path)));
}

/** A limit that a job ran into, at the job's place; any other failure is thrown again. */
function limitAt(error: unknown, file: string): Diagnostic {
	if (!(error instanceof UserError) || error.code !== "limit-reached") throw error;
	return { file, severity: "error", message: error.message, code: error.code };
}

function unsafeName(path: string): Diagnostic {
	const message = `A compiler of this machine would take the name ${path} for an option: rename that file`;
	return { file: path, severity: "error", message, code: "outside-tree" };
}

function withError(diagnostics: readonly Diagnostic[], job: CompileJob, text: string): Diagnostic[] {
	if (diagnostics.some(({ severity }) => severity === "error")) return [...diagnostics];
	return [...diagnostics, { file: job.source, severity: "error", message: text.trim() || "the compiler failed" }];
}

/** Headers of the tree in what make would read. */
function includesOf(depends: Uint8Array | undefined, job: CompileJob, inputs: JobInputs): string[] {
	if (!depends) return [];
	return fromUtf8(depends)
		.replace(/^[^:]*:/, "")
		.replace(/\\\n/g, " ")
		.trim()
		.split(/\s+/)
		.map((path) => path.replace(/^\.\//, ""))
		.filter((path) => inputs.has(path) && path !== job.source);
}

/** A Makefile that names no architecture relies on the compiler's own, which differs between distributions. */
function machineFor(flags: readonly string[]): readonly string[] {
	return flags.some((flag) => flag.startsWith("-march=")) ? [] : ["-march=rv64gc", "-mabi=lp64d"];
}

/** Debug information changes no code, and the inspector reads the kernel by it: a tree that asks for none gets it too. */
function debugFor(flags: readonly string[]): readonly string[] {
	return flags.some((flag) => /^-g/.test(flag)) ? [] : ["-g"];
}
