import { readFileSync } from "node:fs";
import type { BuildOutput } from "../../src/build/types.ts";
import { breathe, createMachine } from "../../src/cli/machine.ts";
import { utf8 } from "../../src/common/bytes.ts";
import { loadCore } from "../../src/env/node/core.ts";
import type { KernelView } from "../../src/kernelview/kernelView.ts";
import { observeKernel } from "../../src/kernelview/observe.ts";
import { applyPatch } from "../../src/lab/patch.ts";
import { findTest, runTest } from "../../src/lab/runner.ts";
import { recordedMachine, recordingOf } from "../../src/machine/recording.ts";
import type { LiveUpdate } from "../../src/protocol/history.ts";
import {
	type FromInspector,
	type HostState,
	type RunInfo,
	runInfoOf,
	type ToInspector,
} from "../../src/protocol/inspector.ts";
import type { FaultEntry, KernelModel } from "../../src/protocol/kernelModel.ts";
import { budgets } from "../../src/session/budgets.ts";
import { Shell } from "../../src/session/shell.ts";
import { activityIn } from "../../src/worker/activity.ts";
import { whoWrote } from "../../src/worker/writer.ts";
import { build, catalog, closeToolchains } from "./lab.ts";

const commandBudget = 3_000_000_000;
const step = 1000;
/** Entries of a log in one message, as the product sends it. */
const piece = 1000;

/** A lab's kernel at its prompt, and the host's side of the inspector's page: what the extension and its worker do for it. */
export class InspectorSide {
	private live: ReturnType<KernelView["live"]> | undefined;
	private machineState: HostState["machine"] = "running";
	private info: RunInfo | undefined;
	/** What the page asked to open. */
	readonly opened: { file: string; line: number }[] = [];
	/** In place of the machine's own, for a page that is to be filled; sent in pieces, the newest entries first. */
	private instead: KernelModel | undefined;
	private sent = 0;

	private constructor(
		private readonly machine: Awaited<ReturnType<typeof createMachine>>["machine"],
		private readonly shell: Shell,
		private readonly view: KernelView,
		private readonly output: BuildOutput,
		private readonly lab: { readonly id: string; readonly harts: number; readonly seed: number },
	) {}

	/**
	 * `stage`: a folder under the lab's solution/, undefined: the starter; `mutant`: one of test/labs/mutants/, for a kernel that is wrong;
	 * `patch`: a file with another change.
	 */
	static async boot(
		lab: string,
		stage: string | undefined,
		{ harts = 1, seed = 0, ...change }: { harts?: number; seed?: number; mutant?: string; patch?: string } = {},
	): Promise<InspectorSide> {
		const files = await catalog.workspace(lab, stage);
		const file = change.mutant ? `test/labs/mutants/${lab}/${change.mutant}/mutant.patch` : change.patch;
		const patch = file && readFileSync(file, "utf8");
		const output = await build(patch ? applyPatch(files, patch) : files);
		const { machine } = await createMachine(output, { harts, seed, translator: true });
		const shell = Shell.on(machine, { breathe });
		// As the engine looks at the machine of the terminal: with the memory of each moment.
		const view = observeKernel(machine, output, (await catalog.manifest(lab)).regions);
		machine.keepHistory();
		const end = await shell.waitForPrompt(budgets.boot);
		if (end.kind !== "prompt") throw new Error(`${lab} ${stage} did not boot: ${end.kind}`);
		view.begin();
		return new InspectorSide(machine, shell, view, output, { id: lab, harts, seed });
	}

	static close(): Promise<void> {
		return closeToolchains();
	}

	async run(command: string): Promise<string> {
		return (await this.shell.run(command, commandBudget)).output;
	}

	/** Runs one of the lab's tests by its id, and judges it as the product does. */
	async judge(test: string): Promise<void> {
		const { harts, seed } = this.lab;
		const manifest = await catalog.manifest(this.lab.id);
		const context = { manifest, harts, seed, programs: this.output.programs };
		const verdict = await runTest(context, findTest(manifest, test), this.shell, this.view, this.machine);
		this.info = runInfoOf(verdict);
	}

	/** Types a command and stops as soon as a log entry that is settled looks like this. */
	async runUntil(command: string, pattern: RegExp, times = 1): Promise<void> {
		this.machine.console.write(utf8(`${command}\n`));
		const start = this.machine.instret;
		const text = (model: KernelModel) =>
			model.log.filter((entry) =>
				pattern.test(
					entry.type === "mark"
						? `${entry.pid} ${entry.text} = ${entry.result ?? ""}`
						: `${entry.pid} ${entry.access} ${entry.address} ${entry.outcome}`,
				),
			);
		let returns = 0;
		const changes = this.machine.onTrapReturn(({ toMode }) => {
			if (toMode === 0) returns++;
		});
		for (let seen = -1; ; ) {
			this.machine.run(step);
			if (this.machine.instret - start > commandBudget) throw new Error(`${command} never came to ${pattern}`);
			if (returns === seen) continue;
			seen = returns;
			if (text(this.view.model()).length >= times) break;
		}
		changes.dispose();
		this.machineState = "paused";
	}

	model(): KernelModel {
		return this.view.model();
	}

	/** What the host answers to a message of the page. */
	async receive(message: FromInspector): Promise<ToInspector[]> {
		switch (message.type) {
			case "ready": {
				this.live?.dispose();
				this.live = this.view.live();
				return [
					this.state(),
					{ type: "run", run: this.info },
					{ type: "model", update: this.instead ? this.begin(this.instead) : this.live.next() },
				];
			}
			case "drawn":
				if (this.instead) return this.nextPiece(this.instead);
				return this.live?.more ? [{ type: "model", update: this.live.next() }] : [];
			case "walk":
				return [{ type: "answer", id: message.id, value: this.view.walk(message.pid, message.address) }];
			case "writer":
				return [{ type: "answer", id: message.id, value: await this.writer(message) }];
			case "activity":
				return [{ type: "answer", id: message.id, value: activityIn(this.machine, this.view, message, []) }];
			case "network":
				return [{ type: "answer", id: message.id, value: this.machine.network?.model() }];
			case "debug":
				return [];
			case "openSource":
				this.opened.push({ file: message.file, line: message.line });
				return [];
			case "control":
				return this.control(message);
		}
	}

	private async writer({ address, after, before }: Extract<FromInspector, { type: "writer" }>) {
		const again = await recordedMachine(recordingOf(this.machine), { core: await loadCore() });
		return whoWrote(again, this.output.kernel, { breathe }, { address: BigInt(address), after, before });
	}

	private state(): ToInspector {
		return { type: "state", state: { machine: this.machineState, canDebug: false, canAskWriter: true } };
	}

	private begin(model: KernelModel): LiveUpdate {
		this.sent = piece;
		return { ...model, log: model.log.slice(-piece), steps: [], stepsFrom: 0 };
	}

	private nextPiece({ sequence, instret, log }: KernelModel): ToInspector[] {
		if (this.sent >= log.length) return [];
		const older = log.slice(-this.sent - piece, -this.sent);
		this.sent += piece;
		const update: LiveUpdate = {
			base: sequence,
			sequence,
			instret,
			panicked: false,
			log: older,
			logFrom: log[0]?.id ?? 0,
			logDropped: 0,
			steps: [],
			stepsFrom: 0,
		};
		return [{ type: "model", update }];
	}

	private control({ id, action }: Extract<FromInspector, { type: "control" }>): ToInspector[] {
		if (action === "stepToFault") {
			const before = this.view.faultCount;
			while (this.view.faultCount === before && this.machine.run(step).kind === "budget");
		}
		this.machineState = action === "resume" ? "running" : "paused";
		return [{ type: "answer", id, value: undefined }, this.state(), { type: "model", update: this.live?.next() }];
	}

	/** A model with so many faults as a busy guest makes in minutes. */
	fill(faults: number): void {
		const model = this.view.model();
		const sample = model.log.find((entry): entry is FaultEntry => entry.type === "fault");
		if (!sample) throw new Error("run a program with faults first");
		this.instead = {
			...model,
			log: Array.from({ length: faults }, (_, i) => ({
				...sample,
				id: i + 1,
				instret: sample.instret + i * 1000,
				address: `0x${(0x3fffffb000 + i * 8).toString(16)}`,
			})),
		};
	}

	dispose(): void {
		this.view.dispose();
		this.shell.dispose();
		this.machine.dispose();
	}
}
