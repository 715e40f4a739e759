import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { DebugProtocol } from "@vscode/debugprotocol";
import { cacheFolder } from "../../src/env/node/cacheFolder.ts";
import { enginesClosed, startNodeEngine } from "../../src/env/node/engineProcess.ts";
import { askEngine } from "../../src/extension/inspectorRequests.ts";
import { applyPatch } from "../../src/lab/patch.ts";
import { findTest } from "../../src/lab/runner.ts";
import type { MachineParams, MachineState } from "../../src/protocol/engine.ts";
import type { LiveUpdate } from "../../src/protocol/history.ts";
import { type FromInspector, type RunInfo, runInfoOf, type ToInspector } from "../../src/protocol/inspector.ts";
import type { FaultEntry, KernelModel, LogEntry } from "../../src/protocol/kernelModel.ts";
import { catalog, closeToolchains, repository } from "./lab.ts";

/** Entries of a log in one message, as the product sends it. */
const piece = 1000;

/** A lab's kernel at its prompt in the real engine, and the host's side of the inspector's page: what the extension does for it. */
export class InspectorSide {
	private readonly engine = startNodeEngine(join(repository, "dist"), cacheFolder());
	private machine: MachineState = "none";
	private shape: MachineParams = { translator: true };
	private info: RunInfo | undefined;
	private console = "";
	private readonly waiting = new Set<() => void>();
	private sequence = 1;
	/** What the page asked to open. */
	readonly opened: { file: string; line: number }[] = [];
	/** To the page. */
	post: (message: ToInspector) => void = () => undefined;
	/** In place of the machine's own, for a page that is to be filled; sent in pieces, the newest entries first. */
	private instead: KernelModel | undefined;
	private sent = 0;

	private constructor(private readonly lab: string) {
		const { engine } = this;
		engine.on("state", ({ state }) => {
			this.machine = state;
			this.post(this.state());
			this.look();
		});
		engine.on("console", ({ bytes }) => {
			this.console += new TextDecoder().decode(bytes);
			// An engine that ends has no more use for it.
			this.ask("consoleShown", { bytes: bytes.length }).catch(() => undefined);
			this.look();
		});
		engine.on("model", ({ model }) => this.instead || this.post({ type: "model", update: model }));
		engine.on("past", ({ model }) => this.instead || this.post({ type: "past", model }));
	}

	/**
	 * `stage`: a folder under the lab's solution/, undefined: the starter; `mutant`: one of test/labs/mutants/, for a kernel that is wrong;
	 * `patch`: a file with another change.
	 */
	static async built(
		lab: string,
		stage: string | undefined,
		{ harts = 1, seed = 0, ...change }: { harts?: number; seed?: number; mutant?: string; patch?: string } = {},
	): Promise<InspectorSide> {
		const side = new InspectorSide(lab);
		const files = await catalog.workspace(lab, stage);
		const file = change.mutant ? `test/labs/mutants/${lab}/${change.mutant}/mutant.patch` : change.patch;
		const patch = file && readFileSync(file, "utf8");
		const changed = [...(patch ? applyPatch(files, patch) : files)].map(([path, bytes]) => ({ path, bytes }));
		await side.ask("sync", { changed, removed: [] });
		const { ok, summary } = await side.ask("build", { toolchain: "bundled" });
		if (!ok) throw new Error(`${lab} ${stage}: ${summary}`);
		side.shape = { harts, seed, translator: true };
		return side;
	}

	/** As `built`, and the machine at its prompt. */
	static async boot(...args: Parameters<typeof InspectorSide.built>): Promise<InspectorSide> {
		const side = await InspectorSide.built(...args);
		await side.start();
		return side;
	}

	async start(): Promise<void> {
		await this.ask("boot", this.shape);
		await this.until(() => this.console.endsWith("$ "));
	}

	/** Types at the prompt, and does not wait. */
	async type(text: string): Promise<void> {
		await this.ask("input", { bytes: new TextEncoder().encode(text) });
	}

	async pause(): Promise<void> {
		await this.ask("pause", undefined);
		await this.until(() => this.machine === "paused");
	}

	async switchOff(): Promise<void> {
		await this.ask("stop", undefined);
		await this.until(() => this.machine === "none" || this.machine === "dead");
	}

	/** The machine stands at this instruction of its past, as a debugger takes it there. */
	async goTo(instruction: number): Promise<void> {
		await this.debug("initialize", { adapterID: "xv6" });
		await this.debug("attach", {});
		await this.debug("configurationDone");
		await this.debug("xv6/goToInstruction", { instruction });
	}

	static async close(): Promise<void> {
		await enginesClosed();
		await closeToolchains();
	}

	async run(command: string): Promise<void> {
		await this.ask("runCommand", { command });
	}

	/** Runs one of the lab's tests by its id, as Run does in the editor. */
	async judge(test: string): Promise<void> {
		const { command, program } = findTest(await catalog.manifest(this.lab), test);
		const { verdict } = await this.ask("runCommand", { command: command ?? program });
		if (!verdict) throw new Error(`${test} was not judged`);
		this.info = runInfoOf(verdict);
	}

	/** Runs a command, and goes back to where a log entry that looks like this was settled; that is the present then. */
	async runUntil(command: string, pattern: RegExp, times = 1): Promise<void> {
		await this.ask("watchModel", { on: true });
		await this.run(command);
		await this.pause();
		const { log } = await this.model();
		const entry = log.filter((one) => pattern.test(entryText(one)))[times - 1];
		if (entry?.settledAt === undefined) throw new Error(`${command} never came to ${pattern}`);
		await this.goTo(entry.settledAt);
		await this.ask("newFuture", undefined);
		// A debugger that is attached has the machine in its hands.
		await this.debug("disconnect", { terminateDebuggee: false });
	}

	async model(): Promise<KernelModel> {
		const model = await this.ask("model", undefined);
		if (!model) throw new Error("there is no machine");
		return model;
	}

	/** What the extension does with a message of the page. */
	async receive(message: FromInspector): Promise<void> {
		switch (message.type) {
			case "ready":
				this.post(this.state());
				this.post({ type: "run", run: this.info });
				if (this.instead) this.post({ type: "model", update: this.begin(this.instead) });
				else await this.ask("watchModel", { on: true });
				return;
			case "drawn":
				if (this.instead) this.nextPiece(this.instead);
				else await this.ask("modelDrawn", undefined).catch(() => undefined);
				return;
			case "debug":
				return;
			case "openSource":
				this.opened.push({ file: message.file, line: message.line });
				return;
			case "control":
				if (message.action === "boot") return;
				await askEngine(this.engine, { type: "control", action: message.action });
				this.post({ type: "answer", id: message.id });
				return;
			default:
				this.post({ type: "answer", id: message.id, value: await askEngine(this.engine, message) });
		}
	}

	private state(): ToInspector {
		return { type: "state", state: { machine: this.machine, canDebug: false, canAskWriter: true } };
	}

	// ---- a log that is longer than any run here ------------------------------------------------------------------------

	/** A model with so many faults as a busy guest makes in minutes. */
	async fill(faults: number): Promise<void> {
		const model = await this.model();
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

	private begin(model: KernelModel): LiveUpdate {
		this.sent = piece;
		return { ...model, log: model.log.slice(-piece), steps: [], stepsFrom: 0 };
	}

	private nextPiece({ sequence, instret, log }: KernelModel): void {
		if (this.sent >= log.length) return;
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
		this.post({ type: "model", update });
	}

	// ---- the engine ------------------------------------------------------------------------------------------------------

	private get ask() {
		return this.engine.request;
	}

	/** A request of a debugger. */
	private async debug(command: string, args?: object): Promise<void> {
		const seq = this.sequence++;
		const answer = new Promise<DebugProtocol.Response>((resolve) => {
			const listening = this.engine.on("debug", ({ message }) => {
				const response = message as DebugProtocol.Response;
				if (response.type !== "response" || response.request_seq !== seq) return;
				listening.dispose();
				resolve(response);
			});
		});
		const message: DebugProtocol.Request = { seq, type: "request", command, arguments: args };
		await this.ask("debug", { session: "side", message });
		const { success, message: why } = await answer;
		if (!success) throw new Error(`${command}: ${why}`);
	}

	private async until(holds: () => boolean): Promise<void> {
		if (holds()) return;
		await new Promise<void>((resolve) => {
			const look = () => {
				if (!holds()) return;
				this.waiting.delete(look);
				resolve();
			};
			this.waiting.add(look);
		});
	}

	private look(): void {
		for (const look of [...this.waiting]) look();
	}

	dispose(): void {
		this.engine.dispose();
	}
}

function entryText(entry: LogEntry): string {
	return entry.type === "mark"
		? `${entry.pid} ${entry.text} = ${entry.result ?? ""}`
		: `${entry.pid} ${entry.access} ${entry.address} ${entry.outcome}`;
}
