import { concat, utf8 } from "../common/bytes.ts";
import { board } from "./virtBoard.ts";

/** Flattened device tree, Devicetree Specification 0.4 chapter 5. */
const MAGIC = 0xd00dfeed;
const BEGIN_NODE = 1;
const END_NODE = 2;
const PROP = 3;
const END = 9;
const VERSION = 17;
const COMPATIBLE_VERSION = 16;
const HEADER_BYTES = 40;
const RESERVE_BYTES = 16;

type Value = string | readonly string[] | readonly number[] | true;

interface Node {
	readonly [name: string]: Value | Node;
}

function isValue(value: Value | Node): value is Value {
	return typeof value !== "object" || Array.isArray(value);
}

function words(...values: number[]): Uint8Array {
	const bytes = new Uint8Array(4 * values.length);
	const view = new DataView(bytes.buffer);
	values.forEach((value, i) => {
		view.setUint32(4 * i, value);
	});
	return bytes;
}

function padded(bytes: Uint8Array): Uint8Array {
	return concat([bytes, new Uint8Array(-bytes.length & 3)]);
}

function encode(value: Value): Uint8Array {
	if (value === true) return new Uint8Array(0);
	if (typeof value === "string") return utf8(`${value}\0`);
	if (value.every((part) => typeof part === "string")) return utf8(value.map((part) => `${part}\0`).join(""));
	return words(...(value as readonly number[]));
}

/** Strings are shared: a name stands once in the block. */
class Strings {
	text = "";
	private readonly offsets = new Map<string, number>();

	offset(name: string): number {
		let offset = this.offsets.get(name);
		if (offset === undefined) {
			offset = this.text.length;
			this.offsets.set(name, offset);
			this.text += `${name}\0`;
		}
		return offset;
	}
}

function encodeNode(name: string, node: Node, strings: Strings): Uint8Array[] {
	const parts = [words(BEGIN_NODE), padded(utf8(`${name}\0`))];
	for (const [key, value] of Object.entries(node)) {
		if (!isValue(value)) continue;
		const bytes = encode(value);
		parts.push(words(PROP, bytes.length, strings.offset(key)), padded(bytes));
	}
	for (const [key, value] of Object.entries(node)) {
		if (!isValue(value)) parts.push(...encodeNode(key, value, strings));
	}
	return [...parts, words(END_NODE)];
}

/** A device tree blob from nested objects. */
export function flatten(root: Node): Uint8Array {
	const strings = new Strings();
	const structure = concat([...encodeNode("", root, strings), words(END)]);
	const text = utf8(strings.text);
	const structureAt = HEADER_BYTES + RESERVE_BYTES;
	const textAt = structureAt + structure.length;
	const header = words(
		MAGIC,
		textAt + text.length,
		structureAt,
		textAt,
		HEADER_BYTES,
		VERSION,
		COMPATIBLE_VERSION,
		0,
		text.length,
		structure.length,
	);
	return concat([header, new Uint8Array(RESERVE_BYTES), structure, text]);
}

const hex = (value: number) => value.toString(16);
/** Address and size as two cells each. */
const reg = (base: number, size: number): number[] => [0, base, 0, size];

/** Phandles: hart h's interrupt controller is h + 1, then the PLIC, then the finisher. */
const plicHandle = board.maxHarts + 1;
const finisherHandle = board.maxHarts + 2;

const supervisorExternal = 9;
const machineExternal = 11;
const machineSoftware = 3;
const machineTimer = 7;

/** What a boot loader tells a kernel through the device tree. */
export interface Chosen {
	/** The kernel's command line. */
	readonly bootargs?: string;
	/** Where an initial RAM disk is, and how long. */
	readonly initrd?: { readonly physical: bigint; readonly length: number };
	/** The board has its real-time clock. Kernels that are told nothing find it at its address, and their tree stays what it was. */
	readonly rtc?: boolean;
}

function chosenNode({ bootargs, initrd }: Chosen): Node {
	const cells = (address: bigint) => [Number(address >> 32n), Number(address & 0xffffffffn)];
	return {
		...(bootargs === undefined ? {} : { bootargs }),
		...(initrd && { "linux,initrd-start": cells(initrd.physical) }),
		...(initrd && { "linux,initrd-end": cells(initrd.physical + BigInt(initrd.length)) }),
	};
}

/** The tree of this board with the given harts and RAM. */
export function boardTree(harts: number, ramBytes: number, chosen: Chosen = {}): Uint8Array {
	const all = Array.from({ length: harts }, (_, hart) => hart);
	const cpus = Object.fromEntries(
		all.map((hart): [string, Node] => [
			`cpu@${hart}`,
			{
				device_type: "cpu",
				reg: [hart],
				status: "okay",
				compatible: "riscv",
				"riscv,isa": "rv64imafdc_zicsr_zifencei_sstc",
				"mmu-type": "riscv,sv39",
				"interrupt-controller": {
					"#interrupt-cells": [1],
					"interrupt-controller": true,
					compatible: "riscv,cpu-intc",
					phandle: [hart + 1],
				},
			},
		]),
	);
	const virtio = Object.fromEntries(
		Array.from({ length: board.virtio.slots }, (_, slot): [string, Node] => {
			const base = board.virtio.base + slot * board.virtio.size;
			const irq = board.virtio.firstIrq + slot;
			return [
				`virtio_mmio@${hex(base)}`,
				{
					compatible: "virtio,mmio",
					reg: reg(base, board.virtio.size),
					interrupts: [irq],
					"interrupt-parent": [plicHandle],
				},
			];
		}),
	);
	const rtc = {
		[`rtc@${hex(board.rtc.base)}`]: {
			compatible: "google,goldfish-rtc",
			reg: reg(board.rtc.base, board.rtc.size),
			interrupts: [board.rtc.irq],
			"interrupt-parent": [plicHandle],
		},
	};
	const uart = `serial@${hex(board.uart.base)}`;
	return flatten({
		"#address-cells": [2],
		"#size-cells": [2],
		compatible: "riscv-virtio",
		model: "riscv-virtio,qemu",
		chosen: { "stdout-path": `/soc/${uart}`, ...chosenNode(chosen) },
		[`memory@${hex(board.ram.base)}`]: { device_type: "memory", reg: reg(board.ram.base, ramBytes) },
		cpus: { "#address-cells": [1], "#size-cells": [0], "timebase-frequency": [board.timebaseHz], ...cpus },
		poweroff: { compatible: "syscon-poweroff", regmap: [finisherHandle], offset: [0], value: [0x5555] },
		reboot: { compatible: "syscon-reboot", regmap: [finisherHandle], offset: [0], value: [0x7777] },
		soc: {
			"#address-cells": [2],
			"#size-cells": [2],
			compatible: "simple-bus",
			ranges: true,
			[`test@${hex(board.testFinisher.base)}`]: {
				compatible: ["sifive,test1", "sifive,test0", "syscon"],
				reg: reg(board.testFinisher.base, board.testFinisher.size),
				phandle: [finisherHandle],
			},
			[`clint@${hex(board.clint.base)}`]: {
				compatible: ["sifive,clint0", "riscv,clint0"],
				reg: reg(board.clint.base, board.clint.size),
				"interrupts-extended": all.flatMap((hart) => [hart + 1, machineSoftware, hart + 1, machineTimer]),
			},
			[`plic@${hex(board.plic.base)}`]: {
				compatible: ["sifive,plic-1.0.0", "riscv,plic0"],
				reg: reg(board.plic.base, board.plic.size),
				"#address-cells": [0],
				"#interrupt-cells": [1],
				"interrupt-controller": true,
				"interrupts-extended": all.flatMap((hart) => [hart + 1, machineExternal, hart + 1, supervisorExternal]),
				"riscv,ndev": [95],
				phandle: [plicHandle],
			},
			[uart]: {
				compatible: "ns16550a",
				reg: reg(board.uart.base, board.uart.size),
				interrupts: [board.uart.irq],
				"interrupt-parent": [plicHandle],
				"clock-frequency": [board.uart.clockHz],
			},
			...(chosen.rtc ? rtc : {}),
			...virtio,
		},
	});
}
