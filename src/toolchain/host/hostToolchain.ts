import { fromUtf8, utf8 } from "../../common/bytes.ts";
import type { ObjectCache } from "../cache.ts";
import { compileCached, linkCached } from "../cached.ts";
import { compilationFolder } from "../folder.ts";
import { lldFlags, parseLld } from "../lld.ts";
import type { CompileJob, CompileResult, JobFiles, LinkJob, LinkResult, Toolchain } from "../types.ts";
import { parseGcc, parseLd } from "./diagnostics.ts";
import { type ProcessRunner, scratchFolder } from "./processRunner.ts";
import type { HostTools } from "./tools.ts";

type JobInputs = ReadonlyMap<string, Uint8Array>;

/** A compiler of this machine behind the same interface as the bundled one; each job runs in a folder of its own. */
export class HostToolchain implements Toolchain {
	readonly id = "host";
	readonly description: string;
	readonly version: string;
	readonly parallelism: number;

	constructor(
		private readonly runner: ProcessRunner,
		private readonly tools: HostTools,
		private readonly cache: ObjectCache,
	) {
		this.description = `${tools.version} at ${tools.compiler}`;
		this.version = `${tools.version} ${tools.compiler} ${tools.linker}, revision ${revision}`;
		this.parallelism = runner.parallelism;
	}

	compile(job: CompileJob, files: JobFiles, signal?: AbortSignal): Promise<CompileResult> {
		return compileCached(this.cache, this.version, job, files, (inputs) => this.compileNow(job, inputs, signal));
	}

	link(job: LinkJob, signal?: AbortSignal): Promise<LinkResult> {
		return linkCached(this.cache, this.version, job, () => this.linkNow(job, signal));
	}

	private async compileNow(job: CompileJob, inputs: JobInputs, signal: AbortSignal | undefined) {
		const flags = job.flags.filter((flag) => !/^-M/.test(flag));
		const args = [...this.tools.target, ...machineFor(flags), ...debugFor(flags), ...this.withNewerDwarf(flags)];
		// gcc 12 and later take the shell of older trees for an endless recursion; before, the flag means nothing.
		const relaxed = ["-Wno-infinite-recursion"];
		const reproducible = [`-fdebug-prefix-map=${scratchFolder}=${compilationFolder}`];
		const depend = ["-MMD", "-MF", "unit.d", "-MT", "unit"];
		const run = await this.runner.run(
			this.tools.compiler,
			[...args, ...relaxed, ...depend, ...reproducible, "-fdiagnostics-color=never", "-c", job.source, "-o", "unit.o"],
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
		};
	}

	/** clang warns of xv6's DWARF 2 at every assembly file with a second section. */
	private withNewerDwarf(flags: readonly string[]): readonly string[] {
		const isClang = this.tools.target.length > 0;
		return isClang ? flags.map((flag) => (flag === "-gdwarf-2" ? "-gdwarf-4" : flag)) : flags;
	}

	private async linkNow(job: LinkJob, signal: AbortSignal | undefined): Promise<LinkResult> {
		const inputs = new Map(job.objects.map(({ path, bytes }) => [path, bytes]));
		if (job.script) inputs.set(job.script.path, utf8(job.script.text));
		const isLld = /ld\.lld[^/\\]*$/.test(this.tools.linker);
		const args = isLld ? lldFlags(job) : gnuFlags(job);
		const run = await this.runner.run(this.tools.linker, [...args, "-o", "image"], inputs, ["image"], signal);
		const image = run.exitCode === 0 ? run.files.get("image") : undefined;
		const diagnostics = isLld ? parseLld(run.stderr) : parseLd(run.stderr);
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

/** Bumped when the same compiler is called in another way. */
const revision = 2;

/** A Makefile that names no architecture relies on the compiler's own, which differs between distributions. */
function machineFor(flags: readonly string[]): readonly string[] {
	return flags.some((flag) => flag.startsWith("-march=")) ? [] : ["-march=rv64gc", "-mabi=lp64d"];
}

/** Debug information changes no code, and the inspector reads the kernel by it: a tree that asks for none gets it too. */
function debugFor(flags: readonly string[]): readonly string[] {
	return flags.some((flag) => /^-g/.test(flag)) ? [] : ["-g"];
}
