import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import type { BuildOutput } from "../../src/build/types.ts";
import { breathe, createMachine } from "../../src/cli/machine.ts";
import { checkFileSystem, inLog, logLength, type SuperBlock, superBlock } from "../../src/kernelview/fileSystem.ts";
import { VirtioBlock } from "../../src/machine/devices/virtioBlock.ts";
import { Shell } from "../../src/session/shell.ts";
import { build, catalog, closeToolchains } from "../support/lab.ts";

/** FULL=1: the machine stops after every write. The gate takes some. */
const sample = process.env.FULL === undefined ? 13 : 1;
const budget = 20_000_000_000;
const blockSize = 1024;
/** Before the first access to the disk, as far as a moment of the boot has to be. */
const margin = 200_000;

/** Directories, links, files with and without an indirect block, a file that is removed while it is open, several writers. */
const commands = [
	"mkdir d",
	"echo hello > d/a",
	"ln d/a b",
	"rm d/a",
	"cat README > d/c",
	"cat ln > e",
	"rm e",
	"usertests unlinkopen",
	"usertests createrace",
	"rm d/c d b",
];

let output: BuildOutput;
beforeAll(async () => {
	output = await build(await catalog.workspace(undefined));
});
afterAll(closeToolchains);
afterEach(() => vi.restoreAllMocks());

/** Calls `done` after each request that the disk has served. */
function onDiskRequest(done: () => void): void {
	const serve = VirtioBlock.prototype.serve;
	vi.spyOn(VirtioBlock.prototype, "serve").mockImplementation(function (this: VirtioBlock, chain) {
		const written = serve.call(this, chain);
		done();
		return written;
	});
}

interface Write {
	readonly block: number;
	readonly content: Uint8Array;
}

/** The disk before the commands, and every change of a block after that, in order. */
async function record(harts: number): Promise<{ before: Uint8Array; writes: Write[]; bootReads: number }> {
	const { machine } = await createMachine(output, { harts, seed: harts, translator: true });
	const shell = Shell.on(machine, { breathe });
	const writes: Write[] = [];
	let now: Uint8Array | undefined;
	let bootReads = 0;
	onDiskRequest(() => {
		bootReads ||= machine.instret;
		if (!now) return;
		const disk = machine.disk();
		for (let at = 0; at < disk.length; at += blockSize) {
			const content = disk.subarray(at, at + blockSize);
			if (Buffer.compare(content, now.subarray(at, at + blockSize)) !== 0)
				writes.push({ block: at / blockSize, content });
		}
		now = disk;
	});
	try {
		expect((await shell.waitForPrompt(budget)).kind).toBe("prompt");
		const before = machine.disk();
		now = before;
		for (const command of commands) expect((await shell.run(command, budget)).end.kind, command).toBe("prompt");
		return { before, writes, bootReads };
	} finally {
		vi.restoreAllMocks();
		shell.dispose();
		machine.dispose();
	}
}

test.each([1, 3])("the file system survives a crash at any write, %i harts", async (harts) => {
	const { before, writes, bootReads } = await record(harts);
	const sb = superBlock(before) as SuperBlock;
	expect(checkFileSystem(before)).toEqual([]);
	expect(writes.length).toBeGreaterThan(300);

	const { machine } = await createMachine(output, { harts, seed: harts, translator: true });
	machine.run(bootReads - margin);
	const booting = machine.snapshot();
	const pageSize = (booting.ramBytes + booting.diskBytes) / booting.pages.length;
	const firstPage = booting.ramBytes / pageSize;

	const disk = before.slice();
	/** The disk without its log after the last transaction that was committed. */
	let committed = before.slice();
	let points = 0;
	let recovered = 0;
	try {
		for (const [index, { block, content }] of writes.entries()) {
			disk.set(content, block * blockSize);
			const waiting = logLength(disk, sb);
			if (block === sb.logStart && waiting > 0) {
				committed = disk.slice();
				const header = new DataView(disk.buffer, sb.logStart * blockSize);
				for (let i = 0; i < waiting; i++) {
					const from = (sb.logStart + 1 + i) * blockSize;
					committed.set(disk.subarray(from, from + blockSize), header.getInt32(4 + 4 * i, true) * blockSize);
				}
			}
			if (index % sample !== harts % sample) continue;
			const pages = booting.pages.map((page, i) =>
				i < firstPage
					? page
					: padded(disk.subarray((i - firstPage) * pageSize, (i - firstPage + 1) * pageSize), pageSize),
			);
			machine.restore({ ...booting, pages });
			const shell = Shell.on(machine, { breathe });
			const end = await shell.waitForPrompt(budget);
			const said = shell.console;
			shell.dispose();
			const where = `after write ${index + 1} of ${writes.length}, to block ${block}: ${said}`;
			expect(end.kind, where).toBe("prompt");
			const after = machine.disk();
			expect(checkFileSystem(after), where).toEqual([]);
			points++;
			if (waiting > 0) recovered++;
			// An inode that was removed while it was open is freed by the boot: then the disk is another one.
			if (said.includes("ireclaim")) continue;
			const differing = [];
			for (let b = 0; b < sb.size; b++) {
				const [from, to] = [b * blockSize, (b + 1) * blockSize];
				if (!inLog(sb, b) && Buffer.compare(after.subarray(from, to), committed.subarray(from, to)) !== 0)
					differing.push(b);
			}
			expect(differing, where).toEqual([]);
		}
	} finally {
		machine.dispose();
	}
	expect(recovered).toBeGreaterThan(5);
	console.log(`${harts} harts: ${points} crashes in ${writes.length} writes, ${recovered} with a log to install`);
});

function padded(bytes: Uint8Array, length: number): Uint8Array {
	const page = new Uint8Array(length);
	page.set(bytes);
	return page;
}
