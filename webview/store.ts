import type { ActivityModel } from "../src/protocol/activity.ts";
import type { WriterModel } from "../src/protocol/history.ts";
import type { HostState, MachineAction, RunInfo, ToInspector } from "../src/protocol/inspector.ts";
import type { KernelModel, WalkModel } from "../src/protocol/kernelModel.ts";
import type { NetworkModel } from "../src/protocol/network.ts";
import { Host } from "./host.ts";
import { l10n } from "./l10n.ts";
import type { TimePart } from "./model/activity.ts";
import { type Card, makeCards } from "./model/cards.ts";
import { type Column, columnAt, columnPage, defaultPids } from "./model/columns.ts";
import { Families } from "./model/families.ts";
import { type Memory, memoryAt } from "./model/memory.ts";
import { continues, indexOfEntry, type Run, RunKeeper, runAt, type TimeEvent } from "./model/run.ts";
import { eventText } from "./model/words.ts";

export interface Selection {
	readonly pid: number;
	readonly va: number;
}

/** A moment that does not move when events are added; `now` follows the newest. */
type Position = "now" | "start" | { readonly entry: number };

/** Wall time between two events while the page plays them. */
const playMs = 800;

/** What the page shows: one run, one moment of it, one selected page. All parts read it, and are told when it changes. */
export class Store {
	readonly families = new Families();
	run: Run | undefined;
	info: RunInfo | undefined;
	/** As they are in the present; `run` and `info` are those of the moment that the machine shows. */
	private present: { run?: Run | undefined; info?: RunInfo | undefined } = {};
	private past: KernelModel | undefined;
	host: HostState = { machine: "none", canDebug: false, canAskWriter: false };
	cards: readonly Card[] = [];
	selection: Selection | undefined;
	/** Chosen columns; undefined: those that the moment suggests. */
	shown: readonly number[] | undefined;
	/** Of the log. */
	filter = "";
	/** Why the last wish failed. */
	problem = "";
	/** Where the changes are counted from; undefined: the event before. */
	baseline: number | undefined;
	writer: { readonly key: string; readonly answer: WriterModel | string } | undefined;
	kernelWalk: WalkModel | undefined;
	/** How often somebody asked for the picture of who ran when. */
	activityWishes = 0;
	/** For screen readers. */
	said = "";
	/** Of the page, in CSS pixels. */
	width = 1280;
	private position: Position = "now";
	private playing: ReturnType<typeof setInterval> | undefined;
	private readonly keeper = new RunKeeper();
	private readonly listeners = new Set<() => void>();
	private readonly line: Host;
	private chosen = false;

	constructor() {
		this.line = new Host((message) => this.receive(message));
		const { page, shown, filter } = this.line.state;
		if (page) this.selection = page;
		this.chosen = page !== undefined;
		this.shown = shown;
		this.filter = filter ?? "";
	}

	begin(root: string): void {
		this.line.save({ root });
		this.line.send({ type: "ready" });
	}

	subscribe(listener: () => void): () => void {
		this.listeners.add(listener);
		return () => this.listeners.delete(listener);
	}

	changed(): void {
		for (const listener of this.listeners) listener();
	}

	/** The last update is on the screen. */
	drawn(): void {
		this.line.send({ type: "drawn" });
	}

	private receive(message: Exclude<ToInspector, { type: "answer" }>): void {
		switch (message.type) {
			case "state":
				this.host = message.state;
				break;
			case "run":
				this.present.info = message.run;
				this.refreshRun();
				this.refreshCards();
				this.choose();
				break;
			case "past":
				this.standAt(message.model);
				break;
			case "show":
				this.activityWishes++;
				break;
			case "model":
				this.take(message);
				break;
		}
		this.changed();
	}

	private take({ update }: Extract<ToInspector, { type: "model" }>): void {
		const known = this.present.run;
		const shown = this.run;
		this.present.run = this.keeper.take(update);
		// Another machine, or another future: where it stands is told again.
		if (!update || !("base" in update)) this.past = undefined;
		if (update && !this.present.run) this.line.send({ type: "ready" });
		this.refreshRun();
		const now = this.present.run;
		if (known && now && !continues(known.model, now.model)) this.forgetRun();
		if (shown?.model.findings !== this.run?.model.findings || shown?.events.length !== this.run?.events.length)
			this.refreshCards();
		this.choose();
	}

	/** The machine stands at a moment of its past, or (undefined) in the present again: so does the page. */
	private standAt(past: KernelModel | undefined): void {
		this.past = past;
		this.position = "now";
		this.writer = undefined;
		this.kernelWalk = undefined;
		this.refreshRun();
		this.refreshCards();
		this.choose();
		this.said = past
			? l10n.t("The machine is at instruction {0} of its past.", past.instret.toLocaleString("en"))
			: l10n.t("The machine is in the present.");
	}

	private refreshRun(): void {
		const { present, past } = this;
		this.run = present.run && past ? runAt(present.run, past) : present.run;
		this.info =
			present.info && past && present.run ? infoAt(present.info, present.run.start, past.instret) : present.info;
	}

	private forgetRun(): void {
		this.position = "now";
		this.shown = undefined;
		this.baseline = undefined;
		this.selection = undefined;
		this.chosen = false;
	}

	private refreshCards(): void {
		this.cards = this.run ? makeCards(this.run, this.info, this.families) : [];
	}

	/** Until somebody selects a page, or goes to an event of one: the page that is told about most, a finding's or the last fault's. */
	private choose(): void {
		if (this.chosen || !this.run || (this.selection && !this.following)) return;
		const found = this.cards.find(({ page }) => page)?.page;
		if (found) {
			this.selection = found;
			return;
		}
		for (let i = this.run.events.length - 1; i >= 0; i--) {
			const page = faultPage(this.run.events[i]);
			if (page) {
				this.selection = page;
				return;
			}
		}
		this.selection = regionPage(this.run);
	}

	/** The judged run is over, and nothing else has begun. */
	get isOver(): boolean {
		const { run, info } = this;
		if (!run || info?.outcome === undefined) return false;
		const last = run.model.log.at(-1)?.instret ?? 0;
		return info.instructions === undefined || last <= run.start + info.instructions;
	}

	/** What happened at an event, in words. */
	textOf(event: TimeEvent): string {
		if (!this.run) return "";
		if (!event.entry && !event.step && this.isOver) return l10n.t("end of the run");
		return eventText(this.run, event);
	}

	// ---- the moment --------------------------------------------------------------------------------------------------

	get index(): number {
		const { run, position } = this;
		if (!run) return 0;
		if (position === "now") return run.events.length - 1;
		if (position === "start") return 0;
		const index = indexOfEntry(run, position.entry);
		// Dropped from the log: the oldest that is left.
		return index < 0 ? 0 : index;
	}

	get event(): TimeEvent | undefined {
		return this.run?.events[this.index];
	}

	get memory(): Memory | undefined {
		return this.run && memoryAt(this.run, this.index);
	}

	get following(): boolean {
		return this.position === "now";
	}

	get isPlaying(): boolean {
		return this.playing !== undefined;
	}

	go(index: number, options: { readonly select?: boolean } = {}): void {
		const event = this.run?.events[index];
		if (!this.run || !event) return;
		this.position = event.entry ? { entry: event.entry.id } : index === 0 && event.step ? "start" : "now";
		this.writer = undefined;
		if (options.select !== false) {
			const page = faultPage(event);
			if (page) this.selection = page;
		}
		this.said = l10n.t("Event {0} of {1}: {2}", index + 1, this.run.events.length, this.textOf(event));
		this.changed();
	}

	step(by: number): void {
		this.pauseShow();
		this.go(this.index + by);
	}

	/** The next fault after the moment, or the one before; -1: there is none. */
	fault(direction: 1 | -1): number {
		const events = this.run?.events ?? [];
		for (let i = this.index + direction; i >= 0 && i < events.length; i += direction)
			if (events[i]?.entry?.type === "fault") return i;
		return -1;
	}

	/** The next recorded fault; at the end of the record the machine runs to its next one. */
	async nextFault(): Promise<void> {
		const next = this.fault(1);
		if (next >= 0) this.go(next);
		else if (this.alive) {
			this.position = "now";
			await this.control("stepToFault");
			const last = this.run?.events.findLastIndex(({ entry }) => entry?.type === "fault") ?? -1;
			const page = faultPage(this.run?.events[last]);
			if (page) this.selection = page;
			this.changed();
		}
	}

	get alive(): boolean {
		return this.host.machine === "running" || this.host.machine === "paused";
	}

	playOrPause(): void {
		if (this.playing) this.pauseShow();
		else {
			if (this.index >= (this.run?.events.length ?? 1) - 1) this.go(0);
			this.playing = setInterval(() => {
				const next = this.index + 1;
				if (next >= (this.run?.events.length ?? 0)) this.pauseShow();
				else this.go(next);
			}, playMs);
		}
		this.changed();
	}

	private pauseShow(): void {
		clearInterval(this.playing);
		this.playing = undefined;
		this.changed();
	}

	// ---- what is selected ----------------------------------------------------------------------------------------------

	select(selection: Selection | undefined): void {
		this.selection = selection;
		this.chosen = true;
		this.writer = undefined;
		this.kernelWalk = undefined;
		this.line.save({ ...(selection ? { page: selection } : {}) });
		this.changed();
	}

	show(card: Card): void {
		if (card.page) {
			this.selection = card.page;
			this.chosen = true;
			if (this.shown && !this.shown.includes(card.page.pid)) this.shown = undefined;
		}
		if (card.event !== undefined) this.go(card.event, { select: card.page === undefined });
	}

	columns(most: number): Column[] {
		const { run, index } = this;
		if (!run) return [];
		const wanted = [
			...(this.selection ? [this.selection.pid] : []),
			...this.cards.flatMap(({ page }) => (page ? [page.pid] : [])),
		];
		const pids = this.shown ?? defaultPids(run, index, most, wanted);
		return pids.slice(0, most).map((pid) => columnAt(run, index, pid, this.families));
	}

	toggle(pid: number, now: readonly number[]): void {
		const next = now.includes(pid) ? now.filter((other) => other !== pid) : [...now, pid].sort((a, b) => a - b);
		this.shown = next.length > 0 ? next : undefined;
		this.line.save({ shown: next });
		this.changed();
	}

	/** The selected page as it is at the moment. */
	get selected(): { readonly column: Column; readonly page: ReturnType<typeof columnPage> } | undefined {
		if (!this.run || !this.selection) return undefined;
		const column = columnAt(this.run, this.index, this.selection.pid, this.families);
		return { column, page: columnPage(this.run, column, this.selection.va) };
	}

	setFilter(filter: string): void {
		this.filter = filter;
		this.line.save({ filter });
		this.changed();
	}

	// ---- wishes ----------------------------------------------------------------------------------------------------------

	openSource(file: string, line: number): void {
		this.line.send({ type: "openSource", file, line });
	}

	debug(instret: number): void {
		this.line.send({ type: "debug", instret });
	}

	async control(action: MachineAction): Promise<void> {
		await this.attempt(() => this.line.ask("control", { action }));
	}

	/** Undefined: the machine has no network card, or there is no machine. */
	async askNetwork(): Promise<NetworkModel | undefined> {
		try {
			return await this.line.ask("network", {});
		} catch {
			return undefined;
		}
	}

	/** Undefined: the machine keeps no past. */
	askActivity(part: TimePart): Promise<ActivityModel | undefined> {
		return this.line.ask("activity", { from: part.from, to: part.to });
	}

	async askWriter(key: string, address: string, before: number): Promise<void> {
		await this.attempt(async () => {
			this.writer = { key, answer: l10n.t("Doing the run again, with a watchpoint on the entry…") };
			this.changed();
			const answer = await this.line.ask("writer", { address, after: this.run?.start ?? 0, before });
			this.writer = { key, answer: answer ?? l10n.t("Nobody wrote it in this run before this moment.") };
		});
	}

	async walkKernel(address: string): Promise<void> {
		await this.attempt(async () => {
			this.kernelWalk = await this.line.ask("walk", { pid: 0, address });
		});
	}

	private async attempt(work: () => Promise<unknown>): Promise<void> {
		this.problem = "";
		try {
			await work();
		} catch (error) {
			this.problem = (error as Error).message;
			this.writer = undefined;
		}
		this.changed();
	}
}

/** What was known of a run before its end: no verdict yet. */
function infoAt(info: RunInfo, start: number, instret: number): RunInfo | undefined {
	const { command, title, harts, seed, instructions } = info;
	if (instret < start) return undefined;
	if (instructions !== undefined && instret >= start + instructions) return info;
	return {
		...(command === undefined ? {} : { command }),
		...(title === undefined ? {} : { title }),
		...(harts === undefined ? {} : { harts }),
		...(seed === undefined ? {} : { seed }),
		reasons: [],
		explanations: [],
		diagnoses: [],
	};
}

/** The first page of a region that a process of the run had last. */
function regionPage({ steps }: Run): Selection | undefined {
	for (const { spaces } of steps.toReversed())
		for (const { pid, regions } of spaces.toReversed()) if (regions[0]) return { pid, va: Number(regions[0].start) };
	return undefined;
}

function faultPage(event: TimeEvent | undefined): Selection | undefined {
	const entry = event?.entry;
	if (entry?.type !== "fault" || entry.pid === 0) return undefined;
	const address = BigInt(entry.address);
	if (address >= 2n ** 38n) return undefined;
	return { pid: entry.pid, va: Math.floor(Number(address) / 4096) * 4096 };
}
