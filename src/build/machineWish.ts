import { withoutComments } from "../common/cText.ts";
import type { NetworkOptions } from "../machine/network/types.ts";
import { argumentOf, type BuildPlan } from "./makefile/plan.ts";
import type { TreeSnapshot } from "./snapshot.ts";
import type { MachineWish } from "./types.ts";

const defaultHarts = 3;
const mib = 1024 * 1024;
const defaultMemory = 128 * mib;
/** The machine has at most this much RAM; a Makefile that asks for more gets what its kernel manages. */
const mostMemory = 1024 * mib;

/** 1 January 2026: a run of a tree does not depend on the day. */
const firstOfJanuary = 1_767_225_600;

interface Found<T> {
	readonly value: T;
	/** `file:line`. */
	readonly where: string;
}

/** What machine the tree was written for: from its QEMU line, its driver, its start code and its constants. */
export function machineWish(plan: BuildPlan, snapshot: TreeSnapshot): MachineWish {
	const sources = kernelSources(plan, snapshot);
	const warnings: string[] = [];
	const physicalTop = constant(sources, /^\s*#define\s+PHYSTOP\s+(\S.*)$/);
	const harts = readHarts(plan, sources, warnings);
	const memoryBytes = readMemory(plan, physicalTop, warnings);
	const network = readNetwork(plan, sources, snapshot);
	return {
		harts,
		memoryBytes,
		virtio: readVirtio(plan, sources, warnings),
		timer: search(sources, /stimecmp|\b0x14d\b/i) ? "sstc" : "clint",
		pmp: search(sources, /pmpaddr0|pmpcfg0/, /(?:start\.c|entry\.S|start\.S)$/) !== undefined,
		...(network ? { network } : {}),
		...(search(sources, /\b0x(?:00)?101000(?:[uUlL]*)\b/, /\.[chsS]$/) ? { rtc: firstOfJanuary } : {}),
		warnings: [...warnings, ...devices(plan)],
	};
}

/** Kernel sources by path, comments blanked out so that lines keep their numbers. Headers come along. */
function kernelSources(plan: BuildPlan, snapshot: TreeSnapshot): ReadonlyMap<string, string> {
	const compiled = new Set<string>();
	const kernel = plan.steps.get(plan.kernel);
	for (const object of kernel?.kind === "link" ? kernel.inputs : []) {
		const step = plan.steps.get(object);
		if (step?.kind === "compile") compiled.add(step.source);
	}
	const folders = new Set([...compiled].map((path) => path.slice(0, path.lastIndexOf("/") + 1)));
	const headers = snapshot.paths.filter(
		(path) => path.endsWith(".h") && [...folders].some((folder) => path.startsWith(folder)),
	);
	const texts = new Map<string, string>();
	for (const path of [...compiled, ...headers]) {
		const text = snapshot.text(path);
		if (text !== undefined) texts.set(path, withoutComments(text, "places"));
	}
	return texts;
}

function search(sources: ReadonlyMap<string, string>, pattern: RegExp, only = /\.(c|S|s)$/): Found<string> | undefined {
	for (const [path, text] of sources) {
		if (!only.test(path)) continue;
		const at = text.split("\n").findIndex((line) => pattern.test(line));
		if (at >= 0) {
			const line = text.split("\n")[at] as string;
			return { value: pattern.exec(line)?.[1] ?? line, where: `${path}:${at + 1}` };
		}
	}
	return undefined;
}

function constant(sources: ReadonlyMap<string, string>, pattern: RegExp): Found<number> | undefined {
	const found = search(sources, pattern, /\.h$/);
	if (!found) return undefined;
	// `(KERNBASE + 128*1024*1024)`: relative to the start of RAM.
	const text = found.value.replace(/\bKERNBASE\b/g, "0x80000000").replace(/(?<=\d)[uUlL]+/g, "");
	const value = product(text);
	return value === undefined ? undefined : { value, where: found.where };
}

/** Sums of products of numbers: as much arithmetic as a constant in a header has. */
function product(text: string): number | undefined {
	const bare = text.replace(/[()\s]/g, "");
	if (!/^[\dxXa-fA-F*+]+$/.test(bare)) return undefined;
	const value = bare
		.split("+")
		.map((term) => term.split("*").reduce((whole, factor) => whole * Number(factor), 1))
		.reduce((sum, term) => sum + term, 0);
	return Number.isFinite(value) ? value : undefined;
}

function readHarts(plan: BuildPlan, sources: ReadonlyMap<string, string>, warnings: string[]): number {
	const text = argumentOf(plan.qemu, "-smp");
	const wanted = Number(/^(?:cpus=)?(\d+)/.exec(text ?? "")?.[1] ?? defaultHarts);
	const most = constant(sources, /^\s*#define\s+NCPU\s+(\S.*)$/);
	if (most && wanted > most.value) {
		warnings.push(
			`The Makefile asks for ${wanted} harts, but the kernel has room for ${most.value} (NCPU, ${most.where}); it runs with ${most.value}.`,
		);
		return most.value;
	}
	return Math.min(8, Math.max(1, wanted));
}

function readMemory(plan: BuildPlan, top: Found<number> | undefined, warnings: string[]): number {
	const match = /^(?:size=)?(\d+)([KMG]?)/i.exec(argumentOf(plan.qemu, "-m") ?? "");
	// QEMU's unit without a letter is MiB.
	const unit = { K: 1024, M: mib, G: 1024 * mib }[(match?.[2] || "M").toUpperCase()] ?? mib;
	const wanted = match ? Number(match[1]) * unit : defaultMemory;
	const managed = top && top.value > 0x8000_0000 ? top.value - 0x8000_0000 : undefined;
	if (managed !== undefined && managed > wanted) {
		warnings.push(
			`The kernel manages ${managed / mib} MiB of RAM (PHYSTOP, ${top?.where}), but the Makefile gives the machine ${wanted / mib} MiB (-m): it would fault beyond the end, so the machine gets ${managed / mib} MiB.`,
		);
		return Math.min(mostMemory, managed);
	}
	if (wanted > mostMemory) return Math.min(mostMemory, managed ?? defaultMemory);
	return wanted;
}

/**
 * The driver's own version check decides, since a kernel panics on any other device; the Makefile's
 * `force-legacy=false` decides where the driver does not check. A contradiction between the two is said aloud.
 */
function readVirtio(plan: BuildPlan, sources: ReadonlyMap<string, string>, warnings: string[]): MachineWish["virtio"] {
	const flag = plan.qemu.some((arg) => /virtio-mmio\.force-legacy=(false|off)/.test(arg)) ? "modern" : "legacy";
	const check = search(sources, /VIRTIO_MMIO_VERSION\s*(?:\)\s*)?!=\s*([12])\b/);
	if (!check) return plan.qemu.length === 0 ? "modern" : flag;
	const driver = check.value === "1" ? "legacy" : "modern";
	if (plan.qemu.length > 0 && driver !== flag) {
		const line = plan.locate("virtio-mmio.force-legacy");
		const place = line ? `${line.file}:${line.line}` : "Makefile";
		warnings.push(
			driver === "legacy"
				? `The disk driver wants virtio version 1 (${check.where}), but ${place} makes the device version 2 (force-legacy=false): under QEMU this kernel panics with 'could not find virtio disk'. The machine gets a version 1 disk.`
				: `The disk driver wants virtio version 2 (${check.where}), but the Makefile does not pass -global virtio-mmio.force-legacy=false: under QEMU this kernel panics with 'could not find virtio disk'. The machine gets a version 2 disk.`,
		);
	}
	return driver;
}

/**
 * A card for a kernel that has a driver for it; Makefiles of some years add the device in every lab. Who answers at the other end is
 * what the course's script does: the lab's program says which answer it waits for.
 */
function readNetwork(
	plan: BuildPlan,
	sources: ReadonlyMap<string, string>,
	snapshot: TreeSnapshot,
): NetworkOptions | undefined {
	const asked = plan.qemu.some((arg, i) => plan.qemu[i - 1] === "-device" && /^e1000(?:,|$)/.test(arg));
	if (!asked || !search(sources, /\be1000_init\s*\(/)) return undefined;
	if (snapshot.has("nettest.py")) return { peer: "nettest" };
	return { peer: snapshot.text("user/nettests.c")?.includes("this is the host!") ? "greeting" : "echo" };
}

/** Devices of the Makefile's QEMU line that the machine does not have. */
function devices(plan: BuildPlan): string[] {
	const wanted = plan.qemu.flatMap((arg, i) => (plan.qemu[i - 1] === "-device" ? [arg.split(",")[0] as string] : []));
	const disks = wanted.filter((name) => name === "virtio-blk-device").length;
	const absent = [...new Set(wanted)].filter((name) => name !== "virtio-blk-device" && name !== "e1000");
	return [
		...(disks > 1 ? [`The Makefile adds ${disks} disks; this machine has only the first.`] : []),
		...absent.map((name) => `The Makefile adds the device ${name}, which this machine does not have.`),
	];
}
