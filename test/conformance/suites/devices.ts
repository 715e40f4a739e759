import { type Case, layout } from "../harness.ts";

const clint = 0x2000000n;
const plic = 0xc000000n;
const uart = 0x10000000n;
const virtio = 0x10001000n;

const loads: Readonly<Record<number, string>> = { 1: "lbu", 2: "lhu", 4: "lwu", 8: "ld" };
const stores: Readonly<Record<number, string>> = { 1: "sb", 2: "sh", 4: "sw", 8: "sd" };

/** Tries one access after another; nine bytes each: the cause (or 16), then the value that was loaded. */
function probes(
	name: string,
	tries: readonly { address: bigint; size: number; write?: bigint; hide?: boolean }[],
): Case {
	const body = tries.map(({ address, size, write, hide }) => {
		const access =
			write === undefined ? `${loads[size]} a2, (a1)` : `li a2, ${write}\n${stores[size]} a2, (a1)\nli a2, 0`;
		return `la s11, 2f\nli a1, ${address}\nli a2, 0\n${access}\nli a0, 16\n2: sb a0, (s4)\n${hide ? "li a2, 0" : ""}
			li t1, 8\n3: addi s4, s4, 1\nsb a2, (s4)\nsrli a2, a2, 8\naddi t1, t1, -1\nbnez t1, 3b\naddi s4, s4, 1`;
	});
	return {
		name,
		reportBytes: 9 * tries.length,
		code: `la t0, sweep_trap\ncsrw mtvec, t0\nli s4, report\n${body.join("\n")}
			la t0, trap\ncsrw mtvec, t0\nli a0, 0\nli a1, 0\nli a2, 0`,
	};
}

const sizes = [1, 2, 4, 8];
const everySize = (addresses: readonly bigint[], hide = false) =>
	addresses.flatMap((address) => sizes.map((size) => ({ address, size, hide })));

function maps(): Case[] {
	return [
		probes(
			"CLINT: msip and mtimecmp by every size",
			everySize([clint, clint + 4n, clint + 8n, clint + 0x4000n, clint + 0x4004n]),
		),
		probes("CLINT: mtime by every size", everySize([clint + 0xbff8n, clint + 0xbffcn], true)),
		probes(
			"CLINT: what is unused",
			everySize([clint + 0x20n, clint + 0x3ffcn, clint + 0x4040n, clint + 0xbff0n, clint + 0xc000n]),
		),
		probes(
			"PLIC: registers by every size",
			everySize([plic + 4n, plic + 0x1000n, plic + 0x2000n, plic + 0x200000n, plic + 0x200004n]),
		),
		probes(
			"PLIC: what is unused",
			everySize([plic, plic + 0x200008n, plic + 0x201008n, plic + 0x5ffffcn, plic + 0x600000n]),
		),
		probes(
			"UART: registers by bytes",
			[1n, 3n, 4n, 5n, 6n, 7n].map((offset) => ({ address: uart + offset, size: 1 })),
		),
		probes("UART: registers by every size", everySize([uart, uart + 2n, uart + 4n, uart + 6n, uart + 1n])),
		probes(
			"UART: behind its registers",
			everySize([uart + 8n, uart + 0x10n, uart + 0xf8n, uart + 0x100n, uart + 0xff8n]),
		),
		probes("virtio: an empty slot", everySize(virtioRegisters.map((offset) => virtio + 0x1000n + offset))),
		probes("virtio: behind the last slot", everySize([virtio + 0x8000n])),
		probes(
			"misaligned device accesses",
			[1n, 2n, 3n].flatMap((n) => [2, 4, 8].map((size) => ({ address: clint + 0x4000n + n, size }))),
		),
		probes("holes", everySize([0n, 0x500n, 0x4000000n, 0x8000000n, 0x88000000n, 0x200000000n])),
	];
}

/** Registers that say the same on QEMU's device and on ours; not the features. */
const virtioRegisters = [0n, 1n, 2n, 4n, 8n, 0x34n, 0x40n, 0x44n, 0x60n, 0x70n, 0x80n, 0xfcn];

const value = (n: number) => (0x0123456789abcdefn * BigInt(n + 1)) & 0xffffffffn;

function registers(): Case[] {
	const set = (address: bigint, write: bigint, size = 4) => ({ address, size, write });
	const get = (address: bigint, size = 4) => ({ address, size });
	return [
		probes("CLINT: msip keeps one bit", [
			set(clint, 0xfffffffen),
			get(clint),
			set(clint, 0xffffffffn),
			get(clint),
			set(clint, 0n),
			get(clint),
		]),
		probes("CLINT: mtimecmp in halves and whole", [
			set(clint + 0x4000n, 0x1122334455667788n, 8),
			get(clint + 0x4000n, 8),
			set(clint + 0x4004n, 0xaabbccddn),
			get(clint + 0x4000n, 8),
			set(clint + 0x4000n, 0x99887766n),
			get(clint + 0x4000n, 8),
			get(clint + 0x4004n),
			set(clint + 0x4000n, (1n << 64n) - 1n, 8),
		]),
		probes(
			"PLIC: priorities",
			[1, 10, 33, 52, 53, 95].flatMap((source) => {
				const at = plic + BigInt(4 * source);
				return [set(at, 0xffffffffn), get(at), set(at, 5n), get(at), set(at, 0n)];
			}),
		),
		probes(
			"PLIC: enables",
			[0n, 4n, 8n].flatMap((word) => {
				const at = plic + 0x2000n + word;
				return [set(at, 0xfffffffen), get(at), set(at, value(Number(word)) & ~1n), get(at), set(at, 0n)];
			}),
		),
		probes("PLIC: enables of the supervisor context", [
			set(plic + 0x2080n, 0x402n),
			get(plic + 0x2080n),
			set(plic + 0x2080n, 0n),
		]),
		probes(
			"PLIC: thresholds",
			[0n, 0x1000n].flatMap((context) => {
				const at = plic + 0x200000n + context;
				return [set(at, 3n), get(at), set(at, 7n), get(at), set(at, 0n), get(at)];
			}),
		),
		probes("PLIC: nothing to claim", [
			get(plic + 0x200004n),
			get(plic + 0x201004n),
			set(plic + 0x200004n, 10n),
			get(plic + 0x1000n),
		]),
		probes("UART: scratch, line control, divisor", [
			set(uart + 7n, 0x5an, 1),
			get(uart + 7n, 1),
			set(uart + 3n, 0x83n, 1),
			get(uart + 3n, 1),
			set(uart, 0x12n, 1),
			set(uart + 1n, 0x34n, 1),
			get(uart, 1),
			get(uart + 1n, 1),
			set(uart, 1n, 1),
			set(uart + 1n, 0n, 1),
			set(uart + 3n, 3n, 1),
			get(uart + 3n, 1),
			get(uart + 1n, 1),
			get(uart + 5n, 1),
		]),
		probes("UART: interrupt enable and identification", [
			set(uart + 1n, 0xffn, 1),
			get(uart + 1n, 1),
			set(uart + 1n, 0n, 1),
			get(uart + 2n, 1),
			set(uart + 2n, 1n, 1),
			get(uart + 2n, 1),
			set(uart + 2n, 7n, 1),
			get(uart + 2n, 1),
			set(uart + 2n, 0n, 1),
			get(uart + 2n, 1),
			set(uart + 1n, 2n, 1),
			get(uart + 2n, 1),
			get(uart + 2n, 1),
			set(uart + 1n, 0n, 1),
			get(uart + 2n, 1),
		]),
		probes("UART: a wide store is one of a byte", [
			// The divisor's low byte in place of the transmitter.
			set(uart + 3n, 0x83n, 1),
			...[2, 4, 8].flatMap((size) => [
				set(uart, 0x0102030405064110n + BigInt(size), size),
				get(uart, 1),
				get(uart + 1n, 1),
				get(uart + 4n, 1),
			]),
			set(uart + 2n, 0x100n, 2),
			get(uart + 3n, 1),
			set(uart, 1n, 1),
			set(uart + 3n, 3n, 1),
			set(uart + 4n, 0x0b0a0908n),
			get(uart + 4n, 1),
			get(uart + 5n, 1),
			get(uart + 7n, 1),
			set(uart + 6n, 0x3c3cn, 2),
			get(uart + 7n, 1),
			set(uart + 4n, 8n, 1),
		]),
		probes("UART: modem control and loopback", [
			set(uart + 4n, 0xffn, 1),
			get(uart + 4n, 1),
			get(uart + 6n, 1),
			set(uart + 4n, 0x10n, 1),
			get(uart + 6n, 1),
			set(uart + 4n, 0x1fn, 1),
			get(uart + 6n, 1),
			set(uart + 4n, 0n, 1),
			get(uart + 4n, 1),
			get(uart + 6n, 1),
			get(uart + 6n, 1),
		]),
	];
}

/** The UART's transmit-empty interrupt through the PLIC, as newer xv6 takes it. `context` 0 is M, 1 is S of hart 0. */
function uartInterrupt(context: 0 | 1, priority: number, threshold: number): Case {
	const enable = plic + 0x2000n + BigInt(0x80 * context);
	const control = plic + 0x200000n + BigInt(0x1000 * context);
	const pending = context === 0 ? 0x800 : 0x200;
	return {
		name: `UART interrupt at ${context ? "S" : "M"}, priority ${priority}, threshold ${threshold}`,
		code: `li s1, ${uart}\nli s2, ${plic}\nli s3, ${enable}\nli s4, ${control}\nli t0, ${priority}\nsw t0, 40(s2)\nli t0, 0x400\nsw t0, (s3)
			li t0, ${threshold}\nsw t0, (s4)
			lbu t0, 2(s1)\nli t0, 2\nsb t0, 1(s1)
			li t0, 200\n1: addi t0, t0, -1\nbnez t0, 1b
			csrr a0, mip\nlwu a1, (s2)\nli t1, 0x1000\nadd t1, s2, t1\nlwu a2, (t1)
			lwu a3, 4(s4)\nlwu a4, (t1)\nlwu a5, 4(s4)
			li t0, 200\n1: addi t0, t0, -1\nbnez t0, 1b
			csrr a6, mip
			lbu a7, 2(s1)\nlbu t2, 2(s1)
			sw a3, 4(s4)
			li t0, 200\n1: addi t0, t0, -1\nbnez t0, 1b
			csrr t3, mip\nlwu t4, (t1)
			sb zero, 1(s1)\nlwu t5, 4(s4)\nsw t5, 4(s4)\nlwu t6, 4(s4)\nsw zero, (s3)\nsw zero, 40(s2)\nsw zero, (s4)
			li t0, ${pending}\nli t1, 0`,
	};
}

/** A slot with a block device in it, by every size; the driver's first steps with narrow stores. */
export function virtioSuite(): Case[] {
	const set = (offset: bigint, write: bigint, size = 4) => ({ address: virtio + offset, size, write });
	const get = (offset: bigint, size = 4) => ({ address: virtio + offset, size });
	const status = [1, 2, 4, 8].flatMap((size) => [
		set(0x70n, 0n),
		set(0x70n, 3n, size),
		...sizes.map((other) => get(0x70n, other)),
	]);
	const cases = [
		probes("registers by every size", everySize(virtioRegisters.map((offset) => virtio + offset))),
		probes(
			"vendor",
			[1, 2, 4].map((size) => get(0xcn, size)),
		),
		probes("capacity by every size", everySize([0n, 1n, 2n, 4n].map((n) => virtio + 0x100n + n))),
		probes("behind the configuration", everySize([0x3cn, 0x40n, 0xef8n].map((n) => virtio + 0x100n + n))),
		probes("status by stores of every size", status),
		probes(
			"status by misaligned wide stores",
			[2, 4, 8].flatMap((size) =>
				[0x6dn, 0x6en, 0x6fn, 0x71n].flatMap((n) => [set(n, 0x0303030303030303n, size), get(0x70n)]),
			),
		),
		probes("status by misplaced stores", [
			set(0x70n, 0n),
			...[1n, 2n, 3n].map((n) => set(0x70n + n, 3n, 1)),
			get(0x70n),
			...[1n, 2n, 3n].map((n) => get(0x70n + n, 1)),
		]),
		probes(
			"queue selection by stores of every size",
			[1, 2, 4, 8].flatMap((size) => [set(0x30n, 1n, size), get(0x34n), set(0x30n, 0n, size), get(0x34n)]),
		),
		probes("stores to registers that are read only", [
			...[0n, 4n, 8n, 0xcn, 0x34n, 0x60n, 0xfcn].flatMap((n) => sizes.map((size) => set(n, 0x55n, size))),
			...[0n, 4n, 8n, 0xcn, 0x34n, 0x60n, 0x70n].map((n) => get(n)),
		]),
	];
	return cases.map((test) => ({ ...test, registers: [0n, 0n, 0n, 0n, 0n, 0n, 0n, layout.data] }));
}

export function devicesSuite(): Case[] {
	const cases = [...maps(), ...registers()];
	for (const context of [0, 1] as const) {
		for (const [priority, threshold] of [
			[1, 0],
			[3, 2],
			[2, 2],
			[0, 0],
			[7, 6],
		] as const) {
			cases.push(uartInterrupt(context, priority, threshold));
		}
	}
	cases.push({
		name: "a timer interrupt pends and is acknowledged by mtimecmp",
		code: `li s1, ${clint + 0xbff8n}\nli s2, ${clint + 0x4000n}\nld t0, (s1)\naddi t0, t0, 50\nsd t0, (s2)
			1: csrr a0, mip\nbeqz a0, 1b\nli t0, -1\nsd t0, (s2)\n2: csrr a1, mip\nbnez a1, 2b\nld t0, (s1)\nld t1, (s1)\nsltu a2, t1, t0\nli t0, 0\nli t1, 0`,
	});
	cases.push({
		name: "time follows mtime",
		code: `li s1, ${clint + 0xbff8n}\nld t0, (s1)\ncsrr t1, time\nld t2, (s1)\nsltu a0, t1, t0\nsltu a1, t2, t1\nli t0, 0\nli t1, 0\nli t2, 0`,
	});
	return cases.map((test) => ({ ...test, registers: [0n, 0n, 0n, 0n, 0n, 0n, 0n, layout.data] }));
}
