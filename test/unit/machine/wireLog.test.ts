import { expect, test } from "vitest";
import { WireLog } from "../../../src/machine/network/wireLog.ts";

const frame = new Uint8Array(60);
const times = (log: WireLog, now: bigint) => log.model(undefined, now).packets.map(({ microseconds }) => microseconds);

test("a mistake that repeats is one, and there is a limit of different ones", () => {
	const log = new WireLog();
	for (let i = 0; i < 100_000; i++) log.mistake("network card: the tail is beyond the ring");
	expect(log.model(undefined, 0n).mistakes).toHaveLength(1);
	for (let i = 0; i < 100_000; i++) log.mistake(`network card: buffer ${i} is not in memory`);
	expect(log.model(undefined, 0n).mistakes).toHaveLength(100);
});

test("the last packets are shown, and none of a future that the machine has left", () => {
	const log = new WireLog();
	for (let i = 1; i <= 300; i++) log.packet({ fromGuest: true, time: BigInt(10 * i), frame });
	expect(times(log, 3000n)).toHaveLength(200);
	expect(times(log, 1020n)).toEqual([101, 102]);
	log.packet({ fromGuest: false, time: 1025n, frame });
	expect(times(log, 3000n)).toEqual([101, 102, 102.5]);
});
