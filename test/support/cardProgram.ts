import {
	arp,
	ethernet,
	etherTypes,
	internetChecksum,
	ipOf,
	ipPacket,
	protocols,
	udp,
} from "../../src/machine/network/frames.ts";
import { kernelOf } from "./guest.ts";
import type { Random } from "./random.ts";

/** One access of the guest: what it reads is printed, a wait reads until one of the bits is set. */
type Step = readonly [kind: 1 | 2 | 3 | 4, address: number, value: number];

const reads = 1;
const writes = 2;
const waits = 3;
const sleeps = 4;

export const card = 0x4000_0000;
export const ecam = 0x3000_0000;
const slot1 = ecam + 0x8000;
export const ramAt = {
	receive: 0x8002_0000,
	transmit: 0x8002_1000,
	buffers: 0x8003_0000,
	frames: 0x8004_0000,
} as const;

export const guestMac = Uint8Array.of(0x52, 0x54, 0x00, 0x12, 0x34, 0x56);
export const gatewayMac = Uint8Array.of(0x52, 0x55, 0x0a, 0x00, 0x02, 0x02);
export const guestIp = ipOf("10.0.2.15");
export const gatewayIp = ipOf("10.0.2.2");

/** The guest: one access after the other from a table, then the finisher. */
function program(steps: readonly Step[]): string {
	const words = [...steps, [0, 0, 0] as const].flatMap(([kind, address, value]) => [kind, address, value, 0]);
	const rows: string[] = [];
	for (let i = 0; i < words.length; i += 4) {
		rows.push(
			`\t.word ${words
				.slice(i, i + 4)
				.map((word) => `0x${(word >>> 0).toString(16)}`)
				.join(", ")}`,
		);
	}
	return `
	csrr t0, mhartid
	bnez t0, park
	li s0, UART
	la s1, steps
next:
	lw t0, (s1)
	lwu t1, 4(s1)
	lwu t2, 8(s1)
	addi s1, s1, 16
	beqz t0, end
	li t3, ${reads}
	beq t0, t3, show
	li t3, ${writes}
	beq t0, t3, write
	li t3, ${sleeps}
	beq t0, t3, sleep
wait:
	lw t4, (t1)
	and t4, t4, t2
	beqz t4, wait
	j next
write:
	sw t2, (t1)
	j next
sleep:
	li t1, CLINT + 0xbff8
	ld t3, (t1)
	add t3, t3, t2
	li t4, CLINT + 0x4000
	sd t3, (t4)
	li t4, 0x80
	csrw mie, t4
doze:
	wfi
	ld t4, (t1)
	bltu t4, t3, doze
	j next
show:
	lwu a0, (t1)
	li a1, 28
digit:
	srl a2, a0, a1
	andi a2, a2, 15
	li a3, 10
	blt a2, a3, decimal
	addi a2, a2, 39
decimal:
	addi a2, a2, 48
full:
	lbu a3, 5(s0)
	andi a3, a3, 0x20
	beqz a3, full
	sb a2, (s0)
	addi a1, a1, -4
	bgez a1, digit
full2:
	lbu a3, 5(s0)
	andi a3, a3, 0x20
	beqz a3, full2
	li a2, 10
	sb a2, (s0)
	j next
end:
	li t0, 0x5555
	li t1, FINISHER
	sw t0, (t1)
park:
	wfi
	j park
	.align 4
steps:
${rows.join("\n")}
`;
}

/** Builds the guest's table. */
export class CardProgram {
	private readonly steps: Step[] = [];

	read(...addresses: number[]): this {
		for (const address of addresses) this.steps.push([reads, address, 0]);
		return this;
	}

	write(address: number, value: number): this {
		this.steps.push([writes, address, value]);
		return this;
	}

	wait(address: number, bits: number): this {
		this.steps.push([waits, address, bits]);
		return this;
	}

	/** Ticks of mtime, 10 MHz. */
	sleep(ticks: number): this {
		this.steps.push([sleeps, 0, ticks]);
		return this;
	}

	/** Bytes into RAM, as words. */
	put(address: number, bytes: Uint8Array): this {
		const words = new DataView(new ArrayBuffer((bytes.length + 3) & ~3));
		new Uint8Array(words.buffer).set(bytes);
		for (let at = 0; at < words.byteLength; at += 4) this.write(address + at, words.getUint32(at, true));
		return this;
	}

	/** As a driver starts the card: BAR, rings of eight, receiver and transmitter on. */
	start(): this {
		this.write(slot1 + 4, 7).write(slot1 + 0x10, card);
		for (let i = 0; i < 8; i++) this.put(ramAt.receive + 16 * i, quad(ramAt.buffers + 2048 * i));
		this.register(0x3800, ramAt.transmit).register(0x3808, 128).register(0x3810, 0).register(0x3818, 0);
		this.register(0x2800, ramAt.receive).register(0x2808, 128).register(0x2810, 0).register(0x2818, 7);
		this.register(0x5400, 0x12005452).register(0x5404, 0x80005634);
		this.register(0x400, 0x4010a).register(0x410, 0x60200a).register(0x100, 0x4008002);
		return this.register(0xd0, 0x80);
	}

	register(offset: number, value: number): this {
		return this.write(card + offset, value);
	}

	/** Sends a frame by transmit descriptor `index`, in pieces of at most `piece` bytes. */
	send(index: number, frame: Uint8Array, piece = frame.length): this {
		const at = ramAt.frames + 2048 * index;
		this.put(at, frame);
		let next = index;
		for (let done = 0; done < frame.length; done += piece) {
			const length = Math.min(piece, frame.length - done);
			const ends = done + piece >= frame.length;
			const place = ramAt.transmit + 16 * (next % 8);
			this.put(place, quad(at + done))
				.write(place + 8, length | (ends ? 0x0900_0000 : 0x0800_0000))
				.write(place + 12, 0);
			next++;
		}
		return this.register(0x3818, next % 8);
	}

	/** Waits for receive descriptor `index`, and prints it and `words` of its buffer. */
	receive(index: number, words: number): this {
		this.wait(ramAt.receive + 16 * index + 12, 1);
		this.read(ramAt.receive + 16 * index + 8, ramAt.receive + 16 * index + 12);
		for (let i = 0; i < words; i++) this.read(ramAt.buffers + 2048 * index + 4 * i);
		return this;
	}

	get kernel(): Uint8Array {
		return kernelOf(program(this.steps));
	}
}

function quad(address: number): Uint8Array {
	const bytes = new Uint8Array(8);
	new DataView(bytes.buffer).setUint32(0, address, true);
	return bytes;
}

/** A ping from the guest to the gateway. */
export function ping(sequence: number, length = 24): Uint8Array {
	const icmp = new Uint8Array(8 + length).map((_, i) => (i < 8 ? 0 : i));
	icmp[0] = 8;
	icmp[5] = 1;
	icmp[7] = sequence;
	const sum = internetChecksum([icmp]);
	icmp[2] = sum >> 8;
	icmp[3] = sum & 255;
	const packet = ipPacket({ from: guestIp, to: gatewayIp, protocol: protocols.icmp, payload: icmp }, sequence);
	return ethernet(gatewayMac, guestMac, etherTypes.ip, packet);
}

export function datagram(toPort: number, payload: Uint8Array, fromPort = 2000, to = gatewayIp): Uint8Array {
	const bytes = udp({ fromPort, toPort, payload }, guestIp, to);
	return ethernet(
		gatewayMac,
		guestMac,
		etherTypes.ip,
		ipPacket({ from: guestIp, to, protocol: protocols.udp, payload: bytes }, 0),
	);
}

/** The guest's answer to the network's ARP request. */
export function arpReply(): Uint8Array {
	const reply = arp({ operation: "reply", fromMac: guestMac, fromIp: guestIp, toMac: gatewayMac, toIp: gatewayIp });
	return ethernet(gatewayMac, guestMac, etherTypes.arp, reply);
}

/** What xv6's drivers and others look at, at power-on and after writes; then pings. */
export function conformanceProgram(): CardProgram {
	const program = new CardProgram();
	// Configuration space: bridge, card, functions and slots that are not there, sizes of BARs.
	program.read(ecam, ecam + 8, ecam + 0x2c, slot1 + 0x1000, ecam + 0x10000, ecam + 0x100000);
	for (const register of [0, 4, 8, 0xc, 0x10, 0x14, 0x18, 0x1c, 0x20, 0x24, 0x2c, 0x34, 0x3c])
		program.read(slot1 + register);
	program.write(slot1 + 4, 7).read(slot1 + 4);
	for (const bar of [0x10, 0x14, 0x18, 0x1c, 0x20, 0x24]) {
		program
			.write(slot1 + bar, 0xffff_ffff)
			.read(slot1 + bar)
			.write(slot1 + bar, 0);
	}
	program.write(slot1 + 0x3c, 0x21).read(slot1 + 0x3c);
	program.write(slot1 + 0x10, card).read(slot1 + 0x10);
	// Registers as they are, and as they are after all ones.
	const plain = [0, 8, 0xc0, 0xc8, 0xd0, 0x100, 0x400, 0x410, 0xe00, 0x1000];
	const rings = [
		0x2800, 0x2804, 0x2808, 0x2810, 0x2818, 0x2820, 0x282c, 0x3800, 0x3804, 0x3808, 0x3810, 0x3820, 0x382c,
	];
	const tables = [0x5200, 0x5204, 0x53fc, 0x5400, 0x5404, 0x5408, 0x547c, 0x5600, 0x57fc];
	for (const register of [...plain, ...rings, ...tables, 0x3c00, 0x10000]) program.read(card + register);
	for (const register of [...rings, ...tables, 0x410, 8]) {
		program
			.register(register, 0xffff_ffff)
			.read(card + register)
			.register(register, 0);
	}
	program.register(0, 0xffff_ffff).read(card).register(0, 0x140240);
	// Causes and masks.
	program
		.register(0xd0, 0x85)
		.read(card + 0xd0)
		.register(0xd8, 4)
		.read(card + 0xd0);
	program
		.register(0xc8, 0x93)
		.read(card + 0xc8)
		.register(0xc0, 0x3)
		.read(card + 0xc8)
		.read(card + 0xc0, card + 0xc0);
	program.register(0xd8, 0xffff_ffff).read(card + 0xd0);
	program
		.start()
		.read(card + 0xc8)
		.register(0xc0, 0xffff_ffff)
		.register(0x3818, 0)
		.read(card + 0xc0);
	// QEMU holds frames back for a second after the receiver was turned on, and an answer that waits for ARP as long.
	program.sleep(15_000_000);
	// A ping: ARP comes first, then the answer; the second one in three pieces; then the ring's end.
	program.send(0, ping(1)).read(card + 0x3810, ramAt.transmit + 12);
	program.receive(0, 16).read(card + 0x2810, card + 0xc0);
	program
		.send(1, arpReply())
		.receive(1, 17)
		.read(card + 0xc0);
	program
		.send(2, ping(2, 200), 90)
		.read(card + 0x3810, ramAt.transmit + 44, ramAt.transmit + 60)
		.receive(2, 62);
	program.register(0x2818, 1);
	for (let i = 3; i < 12; i++)
		program
			.write(ramAt.receive + 16 * (i % 8) + 12, 0)
			.send((i + 2) % 8, ping(i))
			.receive(i % 8, 12)
			.register(0x2818, (i + 7) % 8);
	return program.read(card + 0x2810, card + 0x2818, card + 0x3810, card + 0x3818);
}

/** Registers written with anything in any order, and read. The transmitter stays off: its descriptors would be anything, too. */
export function randomRegisters(random: Random): CardProgram {
	const program = new CardProgram().write(slot1 + 0x10, card).write(slot1 + 4, 2);
	const interrupts = [0xc0, 0xc8, 0xd0, 0xd8];
	const control = [0, 0x100, 0x400, 0x410, 0xe00, 0x1000];
	const rings = [0x2800, 0x2820, 0x282c, 0x3800, 0x3820, 0x382c];
	for (const base of [0x2800, 0x3800]) rings.push(base + 4, base + 8, base + 0x10, base + 0x18);
	const tables = [0x5200, 0x53fc, 0x5400, 0x5404, 0x5440, 0x5600, 0x57fc];
	const any = () => random.pick([interrupts, interrupts, control, rings, tables].map((list) => random.pick(list)));
	for (let i = 0; i < 300; i++) {
		const bits = random.pick([0, 0xffff_ffff, 1 << random.below(32), Number(random.u64() & 0xffff_ffffn)]);
		const register = any();
		program.register(register, (register === 0x400 ? bits & ~2 : bits) >>> 0).read(card + any());
	}
	return program;
}
