import type { Diagnostic } from "../common/diagnostic.ts";
import { UserError } from "../common/errors.ts";
import type { WasiRunResult, WasiToolchain } from "../toolchain/types.ts";
import { blockSizes, superBlockMagic } from "./diskImage.ts";
import { baseName } from "./makefile/paths.ts";
import type { BuildPlan } from "./makefile/plan.ts";
import type { ImageStep } from "./makefile/steps.ts";
import type { TreeSnapshot } from "./snapshot.ts";

interface ImageInput {
	readonly path: string;
	readonly bytes: Uint8Array;
}

/** Name that mkfs gives a file: without `user/`, and without the `_` that keeps it from being run on the host. */
export function nameInImage(path: string): string {
	return baseName(path).replace(/^_/, "");
}

/** Longest file name of xv6's directory entry (kernel/fs.h, DIRSIZ). */
function longestName(snapshot: TreeSnapshot): number {
	return define(snapshot, "DIRSIZ") ?? 14;
}

/** `#define NAME number` of a header in kernel/. */
function define(snapshot: TreeSnapshot, name: string): number | undefined {
	const pattern = new RegExp(`^[ \\t]*#define[ \\t]+${name}[ \\t]+\\(?(\\d+)\\)?[ \\t]*(?:/|$)`, "m");
	for (const path of snapshot.paths) {
		const found = /^kernel\/.*\.h$/.test(path) ? pattern.exec(snapshot.text(path) ?? "") : undefined;
		if (found) return Number(found[1]);
	}
	return undefined;
}

/** Faults of the file list that mkfs does not notice: it would make an image in which one file hides another. */
export function checkFileList(step: ImageStep, plan: BuildPlan, snapshot: TreeSnapshot): Diagnostic[] {
	const problems: Diagnostic[] = [];
	const owner = new Map<string, string>();
	const longest = longestName(snapshot);
	for (const path of step.inputs) {
		const name = nameInImage(path);
		const position = plan.locatePath(path) ?? step.position;
		const stored = name.slice(0, longest);
		const other = owner.get(stored);
		if (other === path) {
			problems.push({
				...position,
				severity: "warning",
				message: `${path} is listed twice; it goes into ${step.output} once`,
			});
		} else if (other !== undefined) {
			const message =
				nameInImage(other) === name
					? `${other} and ${path} both become '${name}' in ${step.output}: rename one of them`
					: `${other} and ${path} both become '${stored}' in ${step.output}, where names have at most ${longest} characters`;
			problems.push({ ...position, severity: "error", message });
		} else owner.set(stored, path);
		if (name.length > longest) {
			problems.push({
				...position,
				severity: "warning",
				message: `'${name}' has ${name.length} characters and the file system keeps ${longest}: it appears as '${stored}'`,
			});
		}
	}
	return problems;
}

export interface ImageResult {
	readonly image?: Uint8Array;
	readonly diagnostics: readonly Diagnostic[];
}

/** Runs the tree's own mkfs over its files, in memory. */
export async function makeImage(
	step: ImageStep,
	mkfs: Uint8Array,
	inputs: readonly ImageInput[],
	snapshot: TreeSnapshot,
	wasi: WasiToolchain,
	signal: AbortSignal | undefined,
): Promise<ImageResult> {
	const listed = [...new Set(step.args)];
	const failed = (message: string): ImageResult => ({
		diagnostics: [{ ...step.position, severity: "error", message, code: "mkfs-failed" }],
	});
	let run: WasiRunResult;
	try {
		run = await runMkfs(step, listed, mkfs, inputs, wasi, signal);
	} catch (error) {
		if (!(error instanceof UserError) || error.code !== "limit-reached") throw error;
		return failed(`${error.message}. ${error.nextStep}`);
	}
	const image = run.files.get(step.output);
	if (run.exitCode !== 0 || !image) {
		const why = whyItFailed(inputs, snapshot) ?? (run.text.trim() || `it ended with code ${run.exitCode}`);
		return failed(`mkfs failed: ${why}`);
	}
	const overflow = whyTooBig(image, inputs);
	return overflow ? failed(overflow) : { image, diagnostics: [] };
}

function runMkfs(
	step: ImageStep,
	listed: readonly string[],
	mkfs: Uint8Array,
	inputs: readonly ImageInput[],
	wasi: WasiToolchain,
	signal: AbortSignal | undefined,
): Promise<WasiRunResult> {
	return wasi.runWasi(
		{
			image: mkfs,
			args: [step.program, ...listed],
			files: new Map(inputs.map(({ path, bytes }) => [path, bytes])),
			outputs: [step.output],
		},
		signal,
	);
}

const kib = (bytes: number) => `${Math.ceil(bytes / 1024)} KiB`;

/** mkfs only asserts; the sizes tell what it stumbled over. */
function whyItFailed(inputs: readonly ImageInput[], snapshot: TreeSnapshot): string | undefined {
	const block = define(snapshot, "BSIZE") ?? 1024;
	const direct = define(snapshot, "NDIRECT") ?? 12;
	const largest = (direct + block / 4) * block;
	const tooLong = inputs.find(({ bytes }) => bytes.length > largest);
	const doubly = snapshot.text("kernel/fs.h")?.match(/NDINDIRECT|NINDIRECT\s*\*\s*NINDIRECT/);
	if (tooLong && !doubly) {
		return `${tooLong.path} has ${kib(tooLong.bytes.length)}, and a file has at most ${kib(largest)} (kernel/fs.h: NDIRECT and one indirect block)`;
	}
	const room = (define(snapshot, "FSSIZE") ?? 1000) * block;
	const sum = inputs.reduce((total, { bytes }) => total + bytes.length, 0);
	if (sum > room * 0.9) {
		return `the files have ${kib(sum)} together, and the file system has ${kib(room)} (FSSIZE in kernel/param.h); make FSSIZE larger or list fewer programs`;
	}
	return undefined;
}

/** mkfs does not stop at the end of the disk: an image that is longer than its super block says has lost files. */
function whyTooBig(image: Uint8Array, inputs: readonly ImageInput[]): string | undefined {
	const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
	for (const block of blockSizes) {
		if (image.length < block + 16 || view.getUint32(block, true) !== superBlockMagic) continue;
		const blocks = view.getUint32(block + 4, true);
		if (image.length <= blocks * block) return undefined;
		const biggest = [...inputs].sort((a, b) => b.bytes.length - a.bytes.length).slice(0, 3);
		const names = biggest.map(({ path, bytes }) => `${path} ${kib(bytes.length)}`).join(", ");
		return `the programs are too big for the file system: they need ${Math.ceil(image.length / block)} blocks and it has ${blocks} (FSSIZE in kernel/param.h); the biggest are ${names}`;
	}
	return undefined;
}
