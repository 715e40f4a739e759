import type { LiveMachine } from "./liveMachine.ts";

/** Instructions between two looks at the mailbox. */
const slice = 5_000_000;

/**
 * Does a recorded run again, to its end; then it stands there, and is a machine like any other. Whether it ended in the recorded state.
 * Rejects with `cancelled` when the signal fires.
 */
export async function replayToEnd(
	{ controller, machine }: LiveMachine,
	hash: string,
	signal: AbortSignal,
): Promise<boolean> {
	await controller.run({
		step: () => slice,
		look: ({ kind }) => kind === "requested" || kind === "halt" || undefined,
		expectsInput: true,
		signal,
	});
	const same = machine.stateHash() === hash;
	machine.takeOver();
	controller.start("paused");
	return same;
}
