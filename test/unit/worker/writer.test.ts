import { afterAll, expect, test } from "vitest";
import { Contexts } from "../../../src/debugger/contexts.ts";
import { loadCore } from "../../../src/env/node/core.ts";
import { Machine } from "../../../src/machine/machine.ts";
import { recordedMachine, recordingOf } from "../../../src/machine/recording.ts";
import { whoWrote, writerInHistory } from "../../../src/worker/writer.ts";
import { build, catalog, closeToolchains } from "../../support/lab.ts";

afterAll(() => closeToolchains());

test("who wrote a page-table entry: the machine's history says what a second run of it says, and the machine is where it was", async () => {
	const output = await build(await catalog.workspace("hw5-anonymous-mmap", "2b"));
	const core = await loadCore();
	const options = { kernel: output.kernel, disk: output.disk, harts: 1, jit: "on" } as const;
	const machine = await Machine.create(options, { core });
	machine.keepHistory();
	while (machine.run(100_000_000, { stopWhenWaiting: true }).kind === "budget");
	const shell = new Contexts(machine, output.kernel, new Map()).processes().find(({ name }) => name === "sh");
	const address = shell?.space.entryOf(0n);
	if (address === undefined) throw new Error("the shell has no page 0");
	const before = machine.instret;
	const hash = machine.stateHash();
	const question = { address, after: 0, before };
	const known = writerInHistory(machine, output.kernel, question);
	expect(machine.stateHash()).toBe(hash);
	if (known === "outside" || !known) throw new Error(`not found: ${known}`);
	expect(known.stack.map(({ name }) => name)).toContain("mappages");

	const again = await recordedMachine(recordingOf(machine), { core });
	const host = { breathe: async () => undefined };
	expect(await whoWrote(again, output.kernel, host, question)).toEqual(known);

	// Before the entry was written by exec it was another page's; between two moments without a write nobody wrote it.
	expect(writerInHistory(machine, output.kernel, { address, after: known.instret, before })).toBeUndefined();
	machine.history?.seek(known.instret);
	expect(writerInHistory(machine, output.kernel, question)).toEqual(known);
	expect(machine.instret).toBe(known.instret);
	machine.dispose();

	const young = await Machine.create({ ...options, disk: output.disk }, { core });
	young.run(1_000_000);
	young.keepHistory();
	expect(writerInHistory(young, output.kernel, { address, after: 0, before: 900_000 })).toBe("outside");
	young.dispose();
}, 60_000);
