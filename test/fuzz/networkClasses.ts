import { StateAllocator } from "../../src/machine/device.ts";
import { networkDevices } from "../../src/machine/devices/networkCard.ts";
import { ipOf } from "../../src/machine/network/frames.ts";
import { WireLog } from "../../src/machine/network/wireLog.ts";
import { arpReply, datagram, ping } from "../support/cardProgram.ts";
import { DeviceBench } from "../support/deviceBench.ts";
import type { Random } from "../support/random.ts";
import type { FuzzClass } from "./classes.ts";
import { damageBytes } from "./mutate.ts";

const ramBase = 0x8000_0000;
const ramBytes = 0x40000;
/** After RAM: what the card must never touch. */
const otherBytes = 0x4000;
const filler = 0xa5;

const registers = {
	causes: [0xc0, 0xc8, 0xd0, 0xd8],
	control: [0x0, 0x8, 0x100, 0x400, 0x410, 0x2820, 0x282c],
	rings: [0x2800, 0x2804, 0x2808, 0x2810, 0x2818, 0x3800, 0x3804, 0x3808, 0x3810, 0x3818],
	tables: [0x5200, 0x53fc, 0x5400, 0x5404, 0x5600],
};
const everyRegister = Object.values(registers).flat();
const edges = [0, 1, 2, 7, 8, 15, 16, 0x80, 0xff, 0x7ff, 0x800, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff];
const word = (random: Random) => (random.chance(2) ? random.pick(edges) : Number(random.u64() & 0xffff_ffffn));

/** Frames that drivers send, most of them damaged. */
function someFrame(random: Random): Uint8Array {
	const labels = ["pdos", "csail", "mit", "edu"].flatMap((label) => [label.length, ...Buffer.from(label)]);
	const query = Uint8Array.of(0x1a, 0xac, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, 1, 0, 1);
	const frame = random.pick([
		() => arpReply(),
		() => ping(random.below(256), random.below(1500)),
		() => datagram(random.pick([25099, 7, 53]), Buffer.from(random.pick(["txone", "ping", ""]))),
		() => datagram(53, damageBytes(random, query), 10000, ipOf("8.8.8.8")),
		() => new Uint8Array(random.below(64)),
	])();
	return random.chance(3) ? frame : damageBytes(random, frame.length > 0 ? frame : new Uint8Array(60));
}

function bench(random: Random) {
	const host = new DeviceBench(ramBytes, otherBytes);
	host.bytes.fill(filler, ramBytes);
	const memory = new WebAssembly.Memory({ initial: 4 });
	const wire = new WireLog();
	let now = 0n;
	const peer = random.pick(["echo", "greeting", "nettest", "host"] as const);
	const { devices, network, card } = networkDevices({
		host,
		allocator: new StateAllocator(memory),
		options: { peer },
		isCompleted: () => random.chance(2),
		now: () => now,
		wakeAt: () => {},
		packet: (fromGuest, frame) => wire.packet({ fromGuest, time: now, frame }),
		peerSays: (line) => wire.peerSays(line),
		datagram: (one) => wire.datagram(one),
	});
	const [configuration, window] = devices as [(typeof devices)[0], (typeof devices)[0]];
	return {
		host,
		wire,
		network,
		card,
		configuration: configuration.device,
		window: window.device,
		now: () => now,
		wait(ticks: bigint) {
			now += ticks;
			window.device.sliceEnd?.();
		},
	};
}

export const networkClasses: Readonly<Record<string, FuzzClass>> = {
	card: {
		about: "rings, descriptors, registers and frames of the network card, as no driver writes them",
		sample: 10,
		run(random) {
			const { host, wire, network, card, configuration, window, now, wait } = bench(random);
			const { view } = host;
			const set = (register: number, value: number) => window.write(register, 4, value);
			const rings = { transmit: 0x1000 + 16 * random.below(64), receive: 0x2000 + 16 * random.below(64) };
			const count = random.pick([8, 16, 64]);
			configuration.write(0x8004, 4, 7);
			configuration.write(0x8010, 4, 0x4000_0000);
			for (const [base, at] of [
				[0x3800, rings.transmit],
				[0x2800, rings.receive],
			] as const) {
				set(base, ramBase + at);
				set(base + 8, 16 * count);
			}
			set(0x2818, count - 1);
			set(0x400, 0x4010a);
			set(0x100, 0x4008002);
			set(0xd0, 0x80);
			for (let i = 0; i < count; i++)
				view.setBigUint64(rings.receive + 16 * i, BigInt(ramBase + 0x10000 + 2048 * (i % 64)), true);
			const transmit = (frame: Uint8Array, index: number) => {
				host.bytes.set(frame.subarray(0, 0x800), 0x30000);
				const place = rings.transmit + 16 * index;
				view.setBigUint64(place, BigInt(ramBase + 0x30000), true);
				view.setBigUint64(place + 8, BigInt(frame.length & 0xffff) | (0x09n << 24n), true);
				set(0x3818, (index + 1) % count);
			};
			// The network knows where the guest is, and has an answer for it.
			transmit(arpReply(), 0);
			transmit(ping(1, 1 + random.below(1400)), 1);
			for (let i = 0; i < 80; i++) {
				const kind = random.below(8);
				if (kind === 0) set(random.pick(everyRegister), word(random));
				else if (kind === 1) {
					const at = random.chance(4) ? random.below(0x20000) & ~3 : random.pick(everyRegister);
					window.read(at, 4);
				} else if (kind === 2) {
					const ring = random.chance(2) ? rings.transmit : rings.receive;
					const place = ring + 16 * random.below(count);
					// Every second one at the end of memory.
					const offset = random.chance(2) ? ramBytes - 1 - random.below(0x800) : random.below(ramBytes + otherBytes);
					const inside = BigInt(ramBase + offset);
					view.setBigUint64(place, random.chance(6) ? random.u64() : inside, true);
					view.setBigUint64(place + 8, random.chance(3) ? random.u64() : BigInt(random.below(0x800)), true);
				} else if (kind === 3 || kind === 4) {
					const index = random.below(count);
					if (random.chance(2)) set(0x3810, index);
					transmit(someFrame(random), index);
				} else if (kind === 5) set(0x2818, random.chance(6) ? word(random) : random.below(count));
				else if (kind === 6)
					network.fromHost({
						hostPort: 1 + random.below(0xffff),
						guestPort: 2000,
						payload: new Uint8Array(random.below(1600)),
					});
				else configuration.write(0x8000 + 4 * random.below(16), 4, word(random));
				wait(random.pick([0n, 10n, 1000n, 20_000_000n]));
				if (random.chance(10)) wire.model({ rings: card.rings, interrupts: card.interrupts }, now());
			}
			wire.model({ rings: card.rings, interrupts: card.interrupts }, now());
			if (host.bytes.subarray(ramBytes).some((byte) => byte !== filler))
				throw new Error("the card wrote outside of memory");
		},
	},
};
