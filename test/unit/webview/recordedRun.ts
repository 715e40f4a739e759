import { KernelView } from "../../../src/kernelview/kernelView.ts";
import { Machine } from "../../../src/machine/machine.ts";
import type { LiveUpdate } from "../../../src/protocol/history.ts";
import { Shell } from "../../../src/session/shell.ts";
import { RunKeeper } from "../../../webview/model/run.ts";
import { coreModule } from "../../support/guest.ts";
import { hw5Regions, programs, recorded } from "../kernelview/recorded.ts";

/** What the page is sent of programs on a recorded kernel: the real machine, the real view, through messages. */
export async function recordedRun(kernel: string, commands: readonly string[]) {
	const machine = await Machine.create(
		{ kernel: recorded(kernel), disk: recorded("disk"), harts: 1, jit: "off" },
		{ core: coreModule() },
	);
	const view = new KernelView(machine, recorded(kernel), programs, { regions: hw5Regions });
	view.attach();
	const shell = Shell.on(machine, { breathe: async () => {} });
	await shell.waitForPrompt(20_000_000_000);
	view.begin();
	const keeper = new RunKeeper();
	const live = view.live();
	let run = keeper.take(structuredClone(live.next()) as LiveUpdate);
	for (const command of commands) {
		await shell.run(command, 3_000_000_000);
		do run = keeper.take(structuredClone(live.next()) as LiveUpdate);
		while (live.more);
	}
	live.dispose();
	machine.dispose();
	if (!run) throw new Error("the updates do not follow each other");
	return run;
}
