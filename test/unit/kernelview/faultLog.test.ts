import { expect, test } from "vitest";
import { ProgramSymbols } from "../../../src/debuginfo/symbolizer.ts";
import { KernelNames } from "../../../src/kernelview/kernelNames.ts";
import { KernelView } from "../../../src/kernelview/kernelView.ts";
import type { FaultEntry, MarkEntry } from "../../../src/protocol/kernelModel.ts";
import { drivenMachine, hw5Regions, programs, ramBase, recorded } from "./recorded.ts";

const kernel = recorded("kernel-3b");
const names = new KernelNames(new ProgramSymbols("kernel", kernel));
const [SYS_fork, SYS_kill, SYS_sbrk] = [1, 6, 12];
const zombie = [...Array(8).keys()].find((value) => names.stateName(value) === "ZOMBIE") ?? -1;
const [loadFault, storeFault] = [13, 15];
const [pteV, pteR, pteW, pteU] = [1n, 2n, 4n, 16n];

function driven() {
	const { machine, memory, trap, back, enter, enterFrom } = drivenMachine();
	const view = new KernelView(machine, kernel, programs, { regions: hw5Regions });
	view.attach();
	const { harts, processes, spaces } = view.model();
	const pid = harts[0]?.pid ?? 0;
	const slot = processes.find((process) => process.pid === pid)?.slot ?? -1;
	const space = spaces.find((candidate) => candidate.pid === pid);
	/** Where the entry of an address lies, for addresses whose table of level 0 is there. */
	const entryAt = (address: number) => {
		const table = space?.tables.find(
			({ level, start }) => level === 0 && Number(start) === address - (address % 2 ** 21),
		);
		return Number(table?.address) - ramBase + (Math.floor(address / 4096) % 512) * 8;
	};
	const { proc } = names;
	if (!proc) throw new Error("the recorded kernel has no proc");
	return {
		view,
		memory,
		trap,
		back,
		entryAt,
		call: (number: number, argument: bigint, result: bigint) => {
			enter(number, argument);
			back(result);
		},
		/** Another process than the one that runs calls kill() for this one, and has not returned. */
		killBegins: () => {
			const other = processes.find((process) => process.name === "hold" && process.pid !== pid);
			enterFrom(Number(other?.root), SYS_kill, BigInt(pid));
		},
		/** Byte of a member of the running process in RAM. */
		member: (name: string) =>
			proc.address + slot * proc.stride + (names.offsetIn(proc.element, name) ?? Number.NaN) - ramBase,
		regions: space?.regions ?? [],
		marks: () => view.model().log.filter((entry): entry is MarkEntry => entry.type === "mark"),
		fault: () => view.model().log.find((entry): entry is FaultEntry => entry.type === "fault"),
	};
}

test("the same sbrk again and again is one mark; another argument or call begins a new one", () => {
	const { call, marks } = driven();
	for (let i = 1n; i <= 3n; i++) call(SYS_sbrk, 4096n, i * 0x1000n);
	call(SYS_sbrk, -4096n, 0x3000n);
	call(SYS_fork, 0n, 7n);
	call(SYS_sbrk, -4096n, -1n);
	expect(marks().map(({ text, times, result }) => [text, times, result])).toEqual([
		["sbrk(4096)", 3, "0x3000"],
		["sbrk(-4096)", undefined, "0x3000"],
		["fork()", undefined, "7"],
		["sbrk(-4096)", undefined, "-1"],
	]);
});

test("the log keeps the newest 50,000 entries and says how many it dropped", () => {
	const { view, call } = driven();
	for (let i = 0; i < 60_000; i++) call(SYS_fork, 0n, BigInt(i));
	const { log, logDropped } = view.model();
	expect(log.length).toBeGreaterThanOrEqual(50_000);
	expect(log.length + logDropped).toBe(60_000);
	expect(log.at(-1)).toMatchObject({ result: "59999" });
});

/** A page of the region with these permissions, whose entry is taken away. */
function unmappedPage({ regions, entryAt, memory }: ReturnType<typeof driven>, permissions: string) {
	const region = regions.find((candidate) => candidate.permissions === permissions);
	const address = Number(region?.start);
	const at = entryAt(address);
	const entry = memory.getBigUint64(at, true);
	memory.setBigUint64(at, 0n, true);
	return { address, at, entry };
}

test("a fault whose handler maps the page: what was needed, what was there, and the frame that came", () => {
	const run = driven();
	const { address, at, entry } = unmappedPage(run, "rw-");
	run.trap(storeFault, BigInt(address + 8));
	expect(run.fault()).toMatchObject({ outcome: "open", required: "-w-u", present: "----", access: "store" });
	expect(run.fault()?.region?.permissions).toBe("rw-");
	run.memory.setBigUint64(at, entry, true);
	run.back();
	const frame = Number(((entry >> 10n) << 12n) - BigInt(ramBase)) / 4096;
	expect(run.fault()).toMatchObject({ outcome: "mapped", frame });
});

test("a handler that maps nothing, or with too few rights: fault again", () => {
	const nothing = driven();
	nothing.trap(loadFault, BigInt(unmappedPage(nothing, "rw-").address));
	nothing.back();
	expect(nothing.fault()?.outcome).toBe("again");
	const readOnly = driven();
	const { address, at, entry } = unmappedPage(readOnly, "rw-");
	readOnly.trap(storeFault, BigInt(address));
	readOnly.memory.setBigUint64(at, (entry & ~pteW) | pteV | pteR | pteU, true);
	readOnly.back();
	expect(readOnly.fault()?.outcome).toBe("again");
	expect(readOnly.view.findings().map(({ id }) => id)).toContain("fault-loop");
});

test("a process that ends in the handler: refused, process killed", () => {
	const run = driven();
	run.trap(loadFault, 0x7000_0000n);
	expect(run.fault()).toMatchObject({ outcome: "open" });
	expect(run.fault()?.range).toBeUndefined();
	run.memory.setUint32(run.member("state"), zombie, true);
	expect(run.fault()?.outcome).toBe("killed");
	expect(run.view.killed()).toEqual([run.fault()?.pid]);
	expect(run.view.faults()[0]?.text).toContain("refused, process killed");
});

test("a process that was killed at the very moment to which the run is cut stays killed", () => {
	const run = driven();
	run.trap(loadFault, 0x7000_0000n);
	run.memory.setUint32(run.member("state"), zombie, true);
	expect(run.view.killed()).toHaveLength(1);
	run.view.cut();
	expect(run.view.killed()).toEqual([run.fault()?.pid]);
});

test("a panic while a fault is handled, and a fault of the kernel itself: kernel panic", () => {
	for (const mode of [0, 1] as const) {
		const run = driven();
		run.trap(storeFault, 0x10n, mode);
		expect(run.fault()).toMatchObject({ outcome: "open", mode: mode === 0 ? "user" : "supervisor" });
		run.memory.setUint32((names.panicked ?? 0) - ramBase, 1, true);
		expect(run.fault()?.outcome).toBe("panic");
		expect(run.view.faults()[0]?.text).toContain("kernel panic");
	}
});

/** The running process stores into a page of its region, and ends before the handler returns. */
function endsInFault(order: readonly ("fault" | "kill begins" | "flag")[]) {
	const run = driven();
	const { address } = unmappedPage(run, "rw-");
	for (const step of order) {
		if (step === "fault") run.trap(storeFault, BigInt(address));
		else if (step === "kill begins") run.killBegins();
		else run.memory.setUint32(run.member("killed"), 1, true);
	}
	run.memory.setUint32(run.member("state"), zombie, true);
	const findings = run.view.findings().map(({ id }) => id);
	return {
		outcome: run.fault()?.outcome,
		killed: run.view.killed()?.length,
		refused: findings.includes("fault-refused"),
	};
}

test("a process that the handler kills is refused; also when somebody else's kill() comes after that", () => {
	const refused = { outcome: "killed", killed: 1, refused: true };
	expect(endsInFault(["fault", "flag"])).toEqual(refused);
	expect(endsInFault(["fault", "flag", "kill begins"])).toEqual(refused);
});

test("a process that kill() had killed before its fault, or kills meanwhile, is not refused when it ends", () => {
	const ended = { outcome: "ended", killed: 0, refused: false };
	expect(endsInFault(["kill begins", "flag", "fault"])).toEqual(ended);
	expect(endsInFault(["flag", "fault"])).toEqual(ended);
	expect(endsInFault(["fault", "kill begins", "flag"])).toEqual(ended);
	expect(endsInFault(["kill begins", "fault", "flag"])).toEqual(ended);
});
