import { utf8 } from "../../common/bytes.ts";
import { UserError } from "../../common/errors.ts";
import { SLICE_LENGTH } from "../../machine/core/layout.ts";
import type { Instructions } from "../../machine/types.ts";
import { RunController, type RunHost } from "../../session/runController.ts";
import type { RunnableMachine } from "../../session/runnableMachine.ts";

const piece = 5_000_000;

/**
 * On a machine at its prompt: lets time jump to the next timer event right before instruction number `at` (from 0, of all harts) after the
 * command is typed, and leaves the machine at the prompt again. Returns where that is. The timer's interrupt comes there, or as soon as
 * interrupts are on. Slices are plain, without the grace that harts with interrupts off have.
 */
export async function timerAt(
	machine: RunnableMachine,
	command: string,
	at: Instructions,
	host: RunHost,
): Promise<{ readonly hart: number; readonly pc: bigint }> {
	const ready = machine.snapshot();
	const schedule = { kind: "directed", slice: SLICE_LENGTH } as const;
	const controller = new RunController(machine, host);
	try {
		machine.setSchedule({ ...schedule, decisions: [] });
		machine.console.write(utf8(`${command}\n`));
		const end = machine.instret + at;
		while (machine.instret < end) {
			const stop = controller.advance(Math.min(piece, end - machine.instret));
			if (stop.kind === "halt" || stop.kind === "idle") throw tooFar(command, at);
			await host.breathe();
		}
		const before = machine.harts.map(({ steps, pc }) => ({ steps, pc }));
		controller.advance(1);
		const hart = machine.harts.findIndex(({ steps }, i) => steps !== before[i]?.steps);
		const found = before[hart];
		if (!found) throw tooFar(command, at);
		machine.restore(ready);
		machine.setSchedule({ ...schedule, decisions: [{ hart, at: Number(found.steps), timer: true }] });
		return { hart, pc: found.pc };
	} finally {
		controller.dispose();
	}
}

function tooFar(command: string, at: Instructions): UserError {
	return new UserError(
		"usage",
		`The machine makes no ${at} instructions after ${command}`,
		"Choose a smaller number for --irq.",
	);
}
