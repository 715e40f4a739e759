import type { Case } from "../harness.ts";
import type { Board } from "../qemu.ts";
import { atomicsSuite, twoHartSuite } from "./atomics.ts";
import { csrSuite } from "./csr.ts";
import { devicesSuite, virtioSuite } from "./devices.ts";
import { floatSuite } from "./float.ts";
import { integerSuite } from "./integer.ts";
import { journeysSuite } from "./journeys.ts";
import { loopsSuite } from "./loops.ts";
import { pagingSuite } from "./paging.ts";
import { pmpLockSuite, pmpSuite } from "./pmp.ts";
import { compressedSuite, randomSuite, reservedSuite } from "./random.ts";

import { trapsSuite } from "./traps.ts";

export interface Suite extends Board {
	readonly name: string;
	/** Deterministic: the same cases for the same seed; the recorded ones without. */
	cases(seed?: number): Case[];
}

/**
 * Each suite is one image and one boot. With one hart QEMU makes an AMO of a load and a store, whose faults are those of a
 * load: suites that see AMO faults have two harts, the second of which is parked.
 */
export const suites: readonly Suite[] = [
	{ name: "integer", harts: 1, cases: integerSuite },
	{ name: "compressed", harts: 1, cases: compressedSuite },
	{ name: "reserved", harts: 1, cases: reservedSuite },
	{ name: "random", harts: 1, cases: randomSuite },
	{ name: "float", harts: 1, cases: floatSuite },
	{ name: "atomics", harts: 2, cases: atomicsSuite },
	{ name: "csr", harts: 1, cases: csrSuite },
	{ name: "traps", harts: 2, cases: trapsSuite },
	{ name: "paging", harts: 2, cases: pagingSuite },
	{ name: "pmp", harts: 2, cases: pmpSuite },
	{ name: "pmp-lock", harts: 1, cases: pmpLockSuite },
	{ name: "journeys", harts: 2, cases: journeysSuite },
	{ name: "loops", harts: 1, cases: loopsSuite },
	{ name: "devices", harts: 1, cases: devicesSuite },
	{ name: "virtio", harts: 1, disk: 64, cases: virtioSuite },
	{ name: "virtio-legacy", harts: 1, disk: 64, virtio: "legacy", cases: virtioSuite },
	{ name: "harts", harts: 2, cases: twoHartSuite },
];
