import { concat, fromUtf8, utf8 } from "../../src/common/bytes.ts";
import { throwIfCancelled } from "../../src/common/cancellation.ts";
import type { Diagnostic } from "../../src/common/diagnostic.ts";
import type {
	CompileJob,
	CompileResult,
	JobFiles,
	LinkJob,
	LinkResult,
	WasiRun,
	WasiRunResult,
	WasiToolchain,
} from "../../src/toolchain/types.ts";

/**
 * Follows `#include` and obeys `#error`, and turns everything else into bytes that name their origin. For tests of the
 * build's own logic: what is compiled again, in which order, with which flags.
 */
export class FakeToolchain implements WasiToolchain {
	readonly id = "bundled";
	readonly description = "fake";
	version = "1";
	parallelism = 2;
	readonly compiled: string[] = [];
	readonly jobs: CompileJob[] = [];
	readonly links: LinkJob[] = [];
	readonly runs: WasiRun[] = [];
	running = 0;
	mostRunning = 0;
	/** Called at the start of each compilation. */
	onCompile: (job: CompileJob) => void | Promise<void> = () => {};
	/** What mkfs does; by default an image with a right super block. */
	mkfs: (run: WasiRun) => WasiRunResult = (run) => ({
		exitCode: 0,
		text: "",
		files: new Map([[run.outputs[0] as string, fakeImage([...run.files.values()])]]),
	});

	async compile(job: CompileJob, files: JobFiles, signal?: AbortSignal): Promise<CompileResult> {
		this.running++;
		this.mostRunning = Math.max(this.mostRunning, this.running);
		try {
			await this.onCompile(job);
			throwIfCancelled(signal);
			this.compiled.push(job.source);
			this.jobs.push(job);
			const includes = new Set<string>();
			const diagnostics: Diagnostic[] = [];
			const text = read(job.source, files, includes, diagnostics);
			const failed = diagnostics.some(({ severity }) => severity === "error");
			return {
				...(failed ? {} : { object: utf8(`${job.source} ${job.flags.join(" ")}\n${text}`) }),
				diagnostics,
				text: "",
				includes: [...includes],
				cpuMs: 1,
				cached: false,
			};
		} finally {
			this.running--;
		}
	}

	async link(job: LinkJob): Promise<LinkResult> {
		this.links.push(job);
		return { image: concat(job.objects.map(({ bytes }) => bytes)), diagnostics: [], text: "" };
	}

	async runWasi(run: WasiRun): Promise<WasiRunResult> {
		this.runs.push(run);
		return this.mkfs(run);
	}

	warm(): void {}

	dispose(): void {}
}

function read(path: string, files: JobFiles, includes: Set<string>, diagnostics: Diagnostic[]): string {
	const bytes = files.read(path);
	if (!bytes) return "";
	const lines = fromUtf8(bytes).split("\n");
	return lines
		.map((line, i) => {
			const position = { file: path, line: i + 1, column: 1 };
			const error = /^#error (.*)/.exec(line);
			if (error) diagnostics.push({ ...position, severity: "error", message: error[1] as string });
			const warning = /^#warning (.*)/.exec(line);
			if (warning) diagnostics.push({ ...position, severity: "warning", message: warning[1] as string });
			const name = /^#include ["<](.*)[">]/.exec(line)?.[1];
			if (name === undefined) return line;
			const near = path.slice(0, path.lastIndexOf("/") + 1) + name;
			const found = [near, name].find((candidate) => files.read(candidate) !== undefined);
			if (found === undefined) {
				diagnostics.push({ ...position, severity: "error", message: `'${name}' file not found` });
				return "";
			}
			if (includes.has(found)) return "";
			includes.add(found);
			return read(found, files, includes, diagnostics);
		})
		.join("\n");
}

/** Block 0 empty, block 1 a super block of 100 blocks of 1024 bytes, then the files. */
export function fakeImage(files: readonly Uint8Array[], blocks = 100): Uint8Array {
	const image = new Uint8Array(Math.max(blocks * 1024, 2048 + files.reduce((sum, { length }) => sum + length, 0)));
	const view = new DataView(image.buffer);
	view.setUint32(1024, 0x10203040, true);
	view.setUint32(1028, blocks, true);
	let at = 2048;
	for (const file of files) {
		image.set(file, at);
		at += file.length;
	}
	return image;
}
