import { fromUtf8, utf8 } from "../../common/bytes.ts";
import type { Diagnostic } from "../../common/diagnostic.ts";
import { inBytes, limits } from "../../common/limits.ts";
import { compilationFolder } from "../folder.ts";
import { lldFlags, parseLld } from "../lld.ts";
import type { CompileJob, CompileResult, LinkJob, LinkResult } from "../types.ts";
import { assemblyLines, assemblyModule } from "./assembly.ts";
import { parseClang } from "./diagnostics.ts";
import { downgrade } from "./downgrade/downgrade.ts";
import { type Cc1Flags, cc1Flags } from "./flags.ts";
import { gccOnly } from "./gccOnly.ts";
import { defineIntrinsics } from "./intrinsics.ts";
import { withLaterVoid } from "./laterVoid.ts";
import { likeGcc, UnitSources } from "./likeGcc.ts";
import { readOnlyLiterals } from "./literals.ts";
import { type BundledModules, Llc, runLlvm } from "./llvm.ts";
import { openShim } from "./openShim.ts";
import { withReadOnlyData } from "./orphans.ts";
import { hideRegisterVariables, revealRegisterVariables } from "./registerVariables.ts";

const attributes = "+m,+a,+f,+d,+c";
const llcArgs = [
	"-mtriple=riscv64",
	"-target-abi=lp64d",
	"-filetype=obj",
	"-relocation-model=static",
	"-code-model=medium",
	"-asm-verbose=false",
	"-dwarf-version=4",
	// Drivers write device registers through plain pointers, and gcc -O keeps each of the stores: two made one would be a fault.
	"-combiner-store-merging=false",
];
const debugArgs = [
	"-debug-info-kind=constructor",
	"-dwarf-version=4",
	"-debugger-tuning=gdb",
	"-fexperimental-assignment-tracking=disabled",
	`-fdebug-compilation-dir=${compilationFolder}`,
];

export type JobInputs = ReadonlyMap<string, Uint8Array>;
export type CompileOutcome = Omit<CompileResult, "cpuMs" | "cached">;

/** One thread's compiler. Jobs run one after the other; a pool of workers has one of these each. */
export class BundledCompiler {
	private readonly llc: Llc;
	private shim: Uint8Array | undefined;

	constructor(private readonly modules: BundledModules) {
		this.llc = new Llc(modules.llc);
	}

	async compile(job: CompileJob, inputs: JobInputs): Promise<CompileOutcome> {
		const flags = cc1Flags(job);
		const outcome =
			job.target === "wasm32-wasi"
				? this.toWasm(job, inputs, flags)
				: job.kind === "c"
					? await this.toRiscv(job, inputs, flags)
					: await this.assemble(job, inputs, flags);
		return { ...outcome, diagnostics: [...flags.diagnostics, ...outcome.diagnostics] };
	}

	private clang(
		job: CompileJob,
		inputs: JobInputs,
		flags: Cc1Flags,
		more: readonly string[],
		outputs: readonly string[],
	) {
		const dependencies = ["-dependency-file", "out.d", "-MT", "o", "-sys-header-deps"];
		const attempt = (extra: readonly string[], files: JobInputs) => {
			const args = ["clang", "-cc1", ...flags.args, ...extra, ...more, ...dependencies];
			const result = runLlvm(this.modules, args, files, [...outputs, "out.d"]);
			const parsed = parseClang(result.text, job.source);
			const judged = likeGcc(parsed.diagnostics, flags.warnings, new UnitSources(files));
			const diagnostics = result.exitCode === 0 ? judged : withError(judged, job.source, result.text);
			return { result, diagnostics };
		};
		const first = attempt([], inputs);
		const second = withLaterVoid(first.diagnostics, flags.warnings, inputs, attempt);
		const { result: run, diagnostics: fromClang } = second ?? first;
		const includes = readDependencies(run.files.get("out.d"), job.source).filter((path) => inputs.has(path));
		const textOf = (path: string) => fromUtf8(inputs.get(path) ?? new Uint8Array());
		const own =
			job.kind === "c" && job.target === "riscv64"
				? gccOnly(job.source, textOf(job.source), includes.map(textOf), flags.warnings)
				: [];
		const diagnostics = [...fromClang, ...own];
		const failed = diagnostics.some(({ severity }) => severity === "error");
		return { run, diagnostics, text: parseClang(first.result.text, job.source).text, includes, failed };
	}

	private async toRiscv(job: CompileJob, inputs: JobInputs, flags: Cc1Flags): Promise<CompileOutcome> {
		const name = job.source.split("/").at(-1) as string;
		const emit = [
			"-emit-llvm",
			"-discard-value-names",
			"-disable-llvm-verifier",
			"-disable-free",
			"-clear-ast-before-backend",
		];
		const more = [...debugArgs, ...emit, "-main-file-name", name, "-o", "out.ll", "-x", "c", job.source];
		const { run, diagnostics, text, includes, failed } = this.clang(job, hideRegisterVariables(inputs), flags, more, [
			"out.ll",
		]);
		const ir = run.files.get("out.ll");
		if (failed || !ir) return { diagnostics, text, includes };
		const revealed = revealRegisterVariables(fromUtf8(ir));
		let older: string;
		try {
			older = downgrade(defineIntrinsics(readOnlyLiterals(revealed.ir)));
		} catch (error) {
			return { diagnostics: [...diagnostics, tooNew(job.source, (error as Error).message)], text, includes };
		}
		const before = { diagnostics, text, includes };
		return this.generate(older, flags.llcLevel, job.source, before, () => undefined, revealed.attributes);
	}

	private async assemble(job: CompileJob, inputs: JobInputs, flags: Cc1Flags): Promise<CompileOutcome> {
		const more = ["-E", "-D__ASSEMBLER__", "-o", "out.s", "-x", "assembler-with-cpp", job.source];
		const { run, diagnostics, text, includes, failed } = this.clang(job, inputs, flags, more, ["out.s"]);
		const preprocessed = run.files.get("out.s");
		if (failed || !preprocessed) return { diagnostics, text, includes };
		const assembly = fromUtf8(preprocessed);
		const module = assemblyModule(assembly, job.source, compilationFolder);
		let lines: ReturnType<typeof assemblyLines> | undefined;
		const place = (line: number) => {
			lines ??= assemblyLines(assembly, job.source, compilationFolder);
			return lines[line - 1];
		};
		return this.generate(module, flags.llcLevel, job.source, { diagnostics, text, includes }, place);
	}

	private async generate(
		ir: string,
		level: string,
		source: string,
		before: { diagnostics: readonly Diagnostic[]; text: string; includes: readonly string[] },
		place: (line: number) => number | undefined = () => undefined,
		more: readonly string[] = [],
	): Promise<CompileOutcome> {
		const mattr = `-mattr=${[attributes, ...more].join(",")}`;
		const { object, text } = await this.llc.run([level, ...llcArgs, mattr], ir);
		if (object) return { ...before, object };
		return {
			...before,
			diagnostics: [...before.diagnostics, ...assemblerErrors(text, source, place)],
			text: before.text + text,
		};
	}

	private toWasm(job: CompileJob, inputs: JobInputs, flags: Cc1Flags): CompileOutcome {
		const more = ["-emit-obj", "-o", "out.o", "-x", "c", job.source];
		const { run, diagnostics, text, includes, failed } = this.clang(job, inputs, flags, more, ["out.o"]);
		const object = run.files.get("out.o");
		return { ...(object && !failed ? { object } : {}), diagnostics, text, includes };
	}

	link(job: LinkJob): LinkResult {
		const inputs = new Map(job.objects.map(({ path, bytes }) => [path, bytes]));
		if (job.script) inputs.set(job.script.path, utf8(withReadOnlyData(job.script.text)));
		const args = job.target === "wasm32-wasi" ? this.wasmLinkArgs(job, inputs) : ["ld.lld", ...lldFlags(job)];
		const run = runLlvm(this.modules, [...args, "-o", "out"], inputs, ["out"]);
		const image = run.files.get("out");
		const diagnostics = parseLld(run.text);
		const failed = run.exitCode !== 0 || !image;
		const told = diagnostics.some((diagnostic) => diagnostic.severity === "error");
		if (failed && !told)
			diagnostics.push({ file: "", severity: "error", message: run.text.trim() || "the linker failed" });
		return { ...(failed ? {} : { image }), diagnostics, text: run.text };
	}

	private wasmLinkArgs(job: LinkJob, inputs: Map<string, Uint8Array>): string[] {
		this.shim ??= this.compileShim();
		inputs.set("open-shim.o", this.shim);
		return [
			"wasm-ld",
			"-m",
			"wasm32",
			"-L/usr/lib/wasm32-wasip1",
			"/usr/lib/wasm32-wasip1/crt1-command.o",
			...job.objects.map(({ path }) => path),
			"open-shim.o",
			"--wrap=open",
			`--max-memory=${limits.mkfsMemoryBytes}`,
			"-lc",
			"/usr/lib/wasm32-unknown-wasip1/libclang_rt.builtins.a",
		];
	}

	private compileShim(): Uint8Array {
		const job: CompileJob = { kind: "c", source: "open-shim.c", flags: ["-O1"], target: "wasm32-wasi" };
		const result = this.toWasm(job, new Map([[job.source, utf8(openShim)]]), cc1Flags(job));
		if (!result.object) throw new Error(`the bundled toolchain cannot build its own shim: ${result.text}`);
		return result.object;
	}
}

/** Headers of the tree that a unit read, from make's dependency format; system headers live below /usr. */
function readDependencies(bytes: Uint8Array | undefined, source: string): string[] {
	if (!bytes) return [];
	const list = fromUtf8(bytes)
		.replace(/^[^:]*:/, "")
		.replace(/\\\n/g, " ")
		.trim()
		.split(/(?<!\\)\s+/)
		.map((path) => path.replace(/\\(.)/g, "$1").replace(/^\.\//, ""));
	return [...new Set(list)].filter((path) => path !== "" && path !== source && !path.startsWith("/usr/"));
}

function withError(diagnostics: readonly Diagnostic[], source: string, text: string): readonly Diagnostic[] {
	if (diagnostics.some((diagnostic) => diagnostic.severity === "error")) return diagnostics;
	const message =
		outOfMemory(text) ?? (text.trim().split("\n").slice(-3).join(" ") || "the compiler failed without a word");
	return [...diagnostics, { file: source, severity: "error", message }];
}

/** How LLVM's programs end when they get no more memory. */
function outOfMemory(text: string): string | undefined {
	if (!/out of memory|bad_alloc|Cannot enlarge memory|memory allocation failed/i.test(text)) return undefined;
	return `to compile this needs more than ${inBytes(limits.compilerMemoryBytes)} of memory: look for a macro or an array that is far bigger than you meant`;
}

function tooNew(source: string, message: string): Diagnostic {
	return {
		file: source,
		severity: "error",
		message: `the bundled compiler cannot translate this file (${message}); use a host compiler`,
	};
}

/** llc names places in its inline assembly, which `place` turns into lines of the source; the statement itself is shown too. */
function assemblerErrors(text: string, source: string, place: (line: number) => number | undefined): Diagnostic[] {
	const lines = text.split("\n");
	const found = lines.flatMap((line, i): Diagnostic[] => {
		const match = /^(?:<inline asm>:(\d+):)?.*?error: (.*)$/.exec(line);
		if (!match) return [];
		const statement = lines[i + 1]?.trim();
		const at = match[1] === undefined ? undefined : place(Number(match[1]));
		const message = statement ? `${match[2]}: ${statement}` : (match[2] as string);
		return [{ file: source, ...(at === undefined ? {} : { line: at }), severity: "error", message }];
	});
	return found.length > 0
		? found
		: [{ file: source, severity: "error", message: outOfMemory(text) ?? (text.trim() || "the code generator failed") }];
}
