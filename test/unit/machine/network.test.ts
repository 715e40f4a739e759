import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { ipOf, parseDnsQuery, parseIp, parseUdp } from "../../../src/machine/network/frames.ts";
import type { NetworkPacket } from "../../../src/machine/network/types.ts";
import type { MachineOptions } from "../../../src/machine/types.ts";
import {
	arpReply,
	CardProgram,
	card,
	conformanceProgram,
	datagram,
	ping,
	ramAt,
	randomRegisters,
} from "../../support/cardProgram.ts";
import { boot, smallRam } from "../../support/guest.ts";
import { Random } from "../../support/random.ts";

const recordings = resolve(import.meta.dirname, "../../golden/network");
const options = { memoryBytes: 4 * smallRam, network: { peer: "nettest" } } as const;

async function run(program: CardProgram, more: Partial<MachineOptions> = {}) {
	const guest = await boot({ kernel: program.kernel, ...options, ...more });
	const packets: NetworkPacket[] = [];
	const said: string[] = [];
	guest.machine.network?.onPacket((packet) => packets.push(packet));
	guest.machine.network?.onPeerOutput((line) => said.push(line));
	const stop = guest.machine.run(20_000_000);
	return { guest, packets, said, stop, lines: guest.text().split("\n").slice(0, -1) };
}

test.each([
	["configuration space, registers, frames sent and received", "card.txt", conformanceProgram],
	["random registers, first", "registers-1.txt", () => randomRegisters(new Random(1))],
	["random registers, second", "registers-2.txt", () => randomRegisters(new Random(2))],
	["random registers, third", "registers-3.txt", () => randomRegisters(new Random(3))],
])("the card says what QEMU's says: %s", async (_, name, make) => {
	const program = make();
	const file = join(recordings, name);
	if (process.env.RECORD) record(program.kernel, file);
	const { lines, stop } = await run(program);
	expect(stop).toEqual({ kind: "halt", code: 0, by: "finisher" });
	expect(lines).toEqual(readFileSync(file, "utf8").trimEnd().split("\n"));
});

/** `RECORD=1`: the same program under QEMU writes the file. By a file, since a pipe loses what QEMU writes faster than it is read. */
function record(kernel: Uint8Array, to: string): void {
	const folder = mkdtempSync(join(tmpdir(), "xv6-lab card-"));
	const serial = join(folder, "serial");
	writeFileSync(join(folder, "kernel"), kernel);
	const words =
		"-machine virt -bios none -m 128M -display none -monitor none -netdev user,id=net0 -device e1000,netdev=net0,bus=pcie.0,romfile=";
	const args = [...words.split(" "), "-serial", `file:${serial}`, "-kernel", join(folder, "kernel")];
	try {
		const { stderr, status, error } = spawnSync("qemu-system-riscv64", args, { encoding: "utf8", timeout: 30_000 });
		// At a time limit QEMU exits with 0.
		if (status !== 0 || error) throw new Error(`QEMU ${status} ${error}: ${stderr}`);
		writeFileSync(to, readFileSync(serial, "utf8").replaceAll("\r", ""));
	} finally {
		rmSync(folder, { recursive: true });
	}
}

const talk = () =>
	new CardProgram()
		.start()
		.send(0, datagram(25099, new TextEncoder().encode("txone")))
		.receive(0, 2)
		.send(1, arpReply())
		.receive(1, 14)
		.send(2, datagram(25099, new TextEncoder().encode("ping")))
		.receive(2, 14);

test("a run with a network repeats: translated or not, cut in pieces, restored, and gone back to", async () => {
	const { guest, packets, said, lines } = await run(talk());
	expect(said).toEqual(["txone: OK", "rxone: sending one UDP packet"]);
	expect(packets.map(({ fromGuest }) => fromGuest)).toEqual([true, false, true, false, true, false]);
	const hash = guest.machine.stateHash();
	for (const more of [{ jit: "off" }, { jit: "on" }, { jit: "eager" }] as const) {
		expect((await run(talk(), more)).guest.machine.stateHash()).toBe(hash);
	}
	// With the packets on their way.
	const { machine } = await boot({ kernel: talk().kernel, ...options });
	const history = machine.keepHistory();
	let again = 0;
	machine.network?.onPacket(() => again++);
	let snapshot = machine.snapshot();
	while (again < 3) {
		snapshot = machine.snapshot();
		machine.run(777);
	}
	machine.run(20_000_000);
	expect(machine.stateHash()).toBe(hash);
	history.seek(0);
	history.toPresent();
	expect(machine.stateHash()).toBe(hash);
	expect(again).toBe(6);
	machine.restore(snapshot);
	machine.run(20_000_000);
	expect(machine.stateHash()).toBe(hash);
	const other = await boot({ kernel: talk().kernel, memoryBytes: options.memoryBytes });
	expect(() => other.machine.restore(snapshot)).toThrow("another shape");
	expect(lines.length).toBeGreaterThan(10);
});

test("what has waited for the guest's address comes after the driver's interrupt has ended, as from slirp", async () => {
	const { packets } = await run(talk());
	const [, , reply, rxone, ping, pong] = packets;
	const between = (a?: NetworkPacket, b?: NetworkPacket) => Number((b?.time ?? 0n) - (a?.time ?? 0n));
	expect(between(reply, rxone)).toBeGreaterThanOrEqual(100_000);
	expect(between(ping, pong)).toBeLessThan(10_000);
});

test("peers answer as the courses' scripts do, and names come from a table", async () => {
	const answerOf = async (network: MachineOptions["network"], frame: Uint8Array) => {
		const program = new CardProgram().start().send(0, frame).receive(0, 1).send(1, arpReply()).receive(1, 1);
		const { packets } = await run(program, network ? { network } : {});
		const packet = parseIp(packets.at(-1)?.frame.slice(14) as Uint8Array);
		if (typeof packet === "string") throw new Error(packet);
		const answer = parseUdp(packet);
		if (typeof answer === "string") throw new Error(answer);
		return { ...packet, ...answer };
	};
	const message = new TextEncoder().encode("a message");
	const echo = await answerOf({ peer: "echo" }, datagram(25099, message, 2004));
	expect(echo).toMatchObject({ fromPort: 25099, toPort: 2004, from: ipOf("10.0.2.2"), payload: message });
	const greeting = await answerOf({ peer: "greeting" }, datagram(25099, message));
	expect(new TextDecoder().decode(greeting.payload)).toBe("this is the host!");
	// pdos.csail.mit.edu, type A, class IN.
	const labels = ["pdos", "csail", "mit", "edu"].flatMap((label) => [label.length, ...new TextEncoder().encode(label)]);
	const query = Uint8Array.of(0x1a, 0xac, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, 1, 0, 1);
	expect(parseDnsQuery(query)?.name).toBe("pdos.csail.mit.edu");
	const known = await answerOf({ peer: "echo" }, datagram(53, query, 10000, ipOf("8.8.8.8")));
	expect(known.payload).toHaveLength(52);
	expect([...known.payload.slice(0, 8)]).toEqual([0x1a, 0xac, 0x81, 0x80, 0, 1, 0, 1]);
	expect([...known.payload.slice(-4)]).toEqual([128, 52, 129, 126]);
	const named = { peer: "echo", names: { "pdos.csail.mit.edu": "10.1.2.3" } } as const;
	const own = await answerOf(named, datagram(53, query, 10000, ipOf("8.8.8.8")));
	expect([...own.payload.slice(-4)]).toEqual([10, 1, 2, 3]);
});

test.each([
	["TDT is 9, but the transmit ring has 8 descriptors", (p: CardProgram) => p.register(0x3818, 9)],
	[
		"the buffer of transmit descriptor 0 is not in memory: address 0x1000",
		(p: CardProgram) =>
			p
				.put(ramAt.transmit, Uint8Array.of(0, 0x10, 0, 0))
				.write(ramAt.transmit + 8, 0x0900_0020)
				.register(0x3818, 1),
	],
	[
		"transmit descriptor 0 has no bytes",
		(p: CardProgram) => p.write(ramAt.transmit + 8, 0x0900_0000).register(0x3818, 1),
	],
	[
		"transmit descriptor 0 is an extended one",
		(p: CardProgram) => p.write(ramAt.transmit + 8, 0x2900_0020).register(0x3818, 1),
	],
	["RDT is 8, but the receive ring has 8 descriptors, 0 to 7", (p: CardProgram) => p.register(0x2818, 8)],
	["RDT was moved from 7 to 0, to or past RDH (0)", (p: CardProgram) => p.register(0x2818, 0)],
	["the transmit ring is not in memory", (p: CardProgram) => p.register(0x3800, 0x1000).register(0x3818, 1)],
	["TDLEN is 0", (p: CardProgram) => p.register(0x3808, 0).register(0x3818, 1)],
	[
		"receive descriptor 0 has no buffer",
		(p: CardProgram) =>
			p
				.put(ramAt.receive, new Uint8Array(8))
				.send(0, ping(1))
				.wait(card + 0x2810, 1),
	],
	["its IPv4 header checksum is wrong", (p: CardProgram) => p.send(0, ping(1).with(24, 7))],
	[
		"nobody listens at 10.0.2.9:7",
		(p: CardProgram) => p.send(0, datagram(7, new Uint8Array(4), 2000, ipOf("10.0.2.9"))),
	],
] as const)("a driver's mistake is named: %s", async (text, make) => {
	const { guest } = await run(make(new CardProgram().start()));
	expect(guest.errors.join("\n")).toContain(text);
});

test("an interrupt that was completed without clearing ICR is named, one that nobody has looked at yet is not", async () => {
	// More than 10 ms later, by mtime's bit of 26 ms.
	const second = (program: CardProgram) => program.wait(0x0200_bff8, 0x40000).send(2, ping(2)).receive(1, 0);
	const start = () => new CardProgram().start().send(0, arpReply()).send(1, ping(1)).receive(0, 0);
	expect((await run(second(start()))).guest.errors).toEqual([]);
	// Priority and enable of source 33 in hart 0's machine context; claim, complete.
	const served = start().write(0x0c00_0084, 1).write(0x0c00_2004, 2).wait(0x0c20_0004, 0xff).write(0x0c20_0004, 33);
	expect((await run(second(served))).guest.errors.join()).toContain("without clearing its cause in ICR");
});

test("a person is shown rings with their owners, packets layer by layer, and mistakes", async () => {
	const { guest } = await run(talk().register(0x2818, 3));
	const model = guest.machine.network?.model();
	expect(model?.rings.map(({ name, head, tail }) => [name, head, tail])).toEqual([
		["receive", 3, 3],
		["transmit", 3, 3],
	]);
	expect(model?.rings[0]?.descriptors[1]).toEqual({ address: "0x80030800", length: 60, owner: "driver", done: true });
	expect(model?.packets.map(({ fromGuest, layers }) => [fromGuest, ...layers.slice(1)])).toEqual([
		[true, "IPv4 10.0.2.15 → 10.0.2.2, protocol 17", "UDP 2000 → 25099, 5 bytes", '"txone"'],
		[false, "ARP request: who has 10.0.2.15? Tell 10.0.2.2"],
		[true, "ARP reply: 10.0.2.15 is at 52:54:00:12:34:56"],
		[false, "IPv4 10.0.2.2 → 10.0.2.15, protocol 17", "UDP 49152 → 2001, 5 bytes", '"rxone"'],
		[true, "IPv4 10.0.2.15 → 10.0.2.2, protocol 17", "UDP 2000 → 25099, 4 bytes", '"ping"'],
		[false, "IPv4 10.0.2.2 → 10.0.2.15, protocol 17", "UDP 25099 → 2000, 4 bytes", '"ping"'],
	]);
	expect(model?.mistakes[0]).toContain("RDT was moved from 7 to 3");
	const { guest: half } = await run(new CardProgram().start().send(0, ping(1)).receive(0, 0));
	expect(
		half.machine.network
			?.model()
			.rings[0]?.descriptors.map(({ owner }) => owner[0])
			.join(""),
	).toBe("dccccccd");
});

test("packets wait on the wire until the driver has room, and nothing is said of a driver that does it right", async () => {
	// Nine pings into eight descriptors, and the tail moves only then.
	const program = new CardProgram().start().send(0, ping(1)).receive(0, 0).send(1, arpReply()).receive(1, 0);
	for (let i = 2; i < 10; i++) program.send(i % 8, ping(i));
	for (let i = 2; i < 7; i++) program.receive(i, 0);
	program
		.register(0x2818, 6)
		.write(ramAt.receive + 12, 0)
		.write(ramAt.receive + 28, 0)
		.write(ramAt.receive + 44, 0);
	program.receive(7, 0).receive(0, 0).receive(1, 0);
	const { packets, guest } = await run(program);
	expect(packets.filter(({ fromGuest }) => !fromGuest)).toHaveLength(10);
	expect(guest.errors).toEqual([]);
});
