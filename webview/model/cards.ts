import type { Diagnosis, DiagnosisKind } from "../../src/protocol/diagnosis.ts";
import type { RunInfo } from "../../src/protocol/inspector.ts";
import type { Finding, FindingId, KernelModel, LogEntry, SourcePoint } from "../../src/protocol/kernelModel.ts";
import { l10n } from "../l10n.ts";
import { columnAt, columnPage, processNames } from "./columns.ts";
import type { Families } from "./families.ts";
import { hex, pageBytes, pageOf } from "./format.ts";
import { memoryAt } from "./memory.ts";
import { indexAt, indexOfEntry, type Run } from "./run.ts";

/** A piece of the small picture that shows a finding's evidence. */
export type Token =
	| { readonly kind: "chip"; readonly pid: number }
	| { readonly kind: "frame"; readonly frame: number | undefined; readonly pid?: number }
	| { readonly kind: "sign"; readonly same: boolean }
	| { readonly kind: "arrow" }
	| { readonly kind: "text" | "mono" | "bad"; readonly text: string };

export interface Card {
	readonly key: string;
	readonly severity: "error" | "warning" | "info";
	readonly title: string;
	readonly sentence: string;
	/** Lines of the picture; those of one card have equally many pieces. */
	readonly picture: readonly (readonly Token[])[];
	/** Event of the first sighting, and the one that shows it whole; absent: it is about the whole run. */
	readonly first?: number;
	readonly event?: number;
	readonly page?: { readonly pid: number; readonly va: number };
	/** What proves it, a line each. */
	readonly facts: readonly string[];
	readonly sources: readonly SourcePoint[];
	/** Log entries that are part of it. */
	readonly log: readonly number[];
	/** A diagnosis of the kernel's panic. */
	readonly ofPanic?: boolean;
}

/** All that is wrong: the kernel's findings, and what the verdict knows beyond them. */
export function makeCards(run: Run, info: RunInfo | undefined, families: Families): Card[] {
	const cards = run.model.findings.map((finding) => findingCard(run, finding, families));
	return oneOfPanic([...verdictCards(run.model, info, cards), ...cards]);
}

/** A kernel panics once: what the diagnosis says of it, at the moment and with the lines that the finding has. */
function oneOfPanic(cards: Card[]): Card[] {
	const finding = cards.find(({ key }) => key.startsWith("kernel-panic"));
	const diagnosis = cards.find(({ ofPanic }) => ofPanic === true);
	if (!finding || !diagnosis) return cards;
	const { key, first, event, page, sources, log } = finding;
	const one: Card = {
		...diagnosis,
		...{ key, sources, log },
		...(first === undefined ? {} : { first }),
		...(event === undefined ? {} : { event }),
		...(page === undefined ? {} : { page }),
	};
	return cards.flatMap((card) => (card === diagnosis ? [one] : card === finding ? [] : [card]));
}

const titles: Readonly<Record<FindingId, (pids: string) => string>> = {
	"family-frames-differ": (pids) =>
		l10n.t("One shared page, different frames: {0} do not see each other's writes", pids),
	"junk-read": (pids) => l10n.t("{0} reads 0x05050505: a fresh frame that nobody wrote", pids),
	"leaf-left-behind": (pids) => l10n.t("A page of {0} is mapped where no region is any more", pids),
	"freed-while-mapped": (pids) => l10n.t("A frame that {0} has is free at the same time", pids),
	"writable-read-only-region": (pids) => l10n.t("{0} can write a region that is read-only", pids),
	"kernel-page-user": (pids) => l10n.t("User mode of {0} can reach a page of the kernel", pids),
	"refcount-mismatch": () => l10n.t("A count does not say how many processes have the region"),
	"frame-leaked": () => l10n.t("Frames are lost: nobody has them, and they are not free"),
	"private-frame-shared": (pids) => l10n.t("{0} can write each other's private memory", pids),
	"fault-loop": (pids) => l10n.t("The same access of {0} faults again and again", pids),
	"kernel-panic": () => l10n.t("The kernel panicked"),
	"fault-refused": (pids) => l10n.t("{0} was killed for an access that its region allows", pids),
	"region-misplaced": (pids) => l10n.t("A region of {0} is where none can be", pids),
	"region-left-behind": (pids) => l10n.t("munmap returned 0, and {0} still has the region", pids),
};

function findingCard(run: Run, finding: Finding, families: Families): Card {
	const { evidence } = finding;
	const seen = indexAt(run, finding.instret);
	const steps = evidence.log.map((id) => indexOfEntry(run, id)).filter((index) => index >= 0);
	// It is seen inside the handler of its entry, whose effect comes a little later.
	const first = steps.filter((index) => index >= seen).sort((a, b) => a - b)[0] ?? seen;
	const event = Math.max(first, ...steps);
	const address = evidence.addresses[0];
	const va = address === undefined ? -1 : pageOf(address);
	const pid = evidence.pids.at(-1);
	return {
		key: `${finding.id} ${finding.key}`,
		severity: finding.severity,
		title: titles[finding.id](list(evidence.pids)),
		sentence: finding.sentence,
		picture: picture(run, finding, event, va, families),
		first,
		event,
		...(pid !== undefined && va >= 0 ? { page: { pid, va } } : {}),
		facts: [],
		sources: evidence.sources,
		log: evidence.log,
	};
}

function list(pids: readonly number[]): string {
	if (pids.length === 0) return l10n.t("the kernel");
	if (pids.length === 1) return String(pids[0]);
	return l10n.t("{0} and {1}", pids.slice(0, -1).join(", "), pids.at(-1) ?? "");
}

const text = (words: string): Token => ({ kind: "text", text: words });
const mono = (words: string): Token => ({ kind: "mono", text: words });
const bad = (words: string): Token => ({ kind: "bad", text: words });
const chip = (pid: number): Token => ({ kind: "chip", pid });
const arrow: Token = { kind: "arrow" };
/** Frames that a picture has room for. */
const mostFrames = 6;

function picture(run: Run, finding: Finding, event: number, va: number, families: Families): Token[][] {
	const { pids, frames, addresses, log } = finding.evidence;
	const [pid = 0] = pids;
	const [frame] = frames;
	const at = addresses[0] === undefined ? "" : hex(Math.max(va, 0));
	const fault = log.map((id) => entryOf(run, id)).findLast((entry) => entry?.type === "fault");
	const whose = pids.length > 0 ? pids.map(chip) : [text(l10n.t("kernel"))];
	switch (finding.id) {
		case "family-frames-differ":
			return pairs(run, pids, event, va, families);
		case "junk-read": {
			const content = frame === undefined ? undefined : memoryAt(run, event)?.contents.get(frame);
			const words = (content?.words ?? [0x05050505, 0x05050505, 0x05050505]).slice(0, 3);
			return [
				[
					chip(pid),
					text(l10n.t("reads frame")),
					{ kind: "frame", frame, pid },
					arrow,
					mono(`${words.map(word).join(" ")} …`),
				],
			];
		}
		case "leaf-left-behind":
			return [
				[...whose, mono(at), arrow, text(l10n.t("frame")), { kind: "frame", frame, pid }, bad(l10n.t("no region"))],
			];
		case "freed-while-mapped":
			return [
				[
					...whose,
					mono(at),
					arrow,
					text(l10n.t("frame")),
					{ kind: "frame", frame, pid },
					bad(l10n.t("on the free list")),
				],
			];
		case "writable-read-only-region":
			return [[...whose, mono(at), text(l10n.t("region")), mono("r--"), text(l10n.t("but PTE")), bad("rw-u")]];
		case "kernel-page-user":
			return [
				[...whose, mono(at), arrow, text(l10n.t("frame")), { kind: "frame", frame, pid: 0 }, bad(l10n.t("U is 1"))],
			];
		case "refcount-mismatch":
			return [[text(l10n.t("has it:")), ...whose, { kind: "sign", same: false }, bad(l10n.t("the count"))]];
		case "frame-leaked":
			return [
				[
					...frames.slice(0, mostFrames).map((one): Token => ({ kind: "frame", frame: one })),
					...(frames.length > mostFrames ? [text(l10n.t("and {0} more", frames.length - mostFrames))] : []),
					bad(l10n.t("nobody's, not free")),
				],
			];
		case "private-frame-shared":
			return pids.map((one) => [chip(one), text(l10n.t("writes frame")), { kind: "frame", frame, pid: one }]);
		case "fault-loop":
			return [
				[
					chip(pid),
					text(l10n.t("needs")),
					mono(fault?.type === "fault" ? fault.required : ""),
					text(l10n.t("PTE has")),
					bad(pteNow(run, event, pid, va, families)),
				],
			];
		case "fault-refused":
			return [
				[
					chip(pid),
					mono(fault?.type === "fault" ? `${fault.access} ${fault.address}` : at),
					text(l10n.t("region allows")),
					mono((fault?.type === "fault" && fault.region?.permissions) || "?"),
					bad(l10n.t("killed")),
				],
			];
		case "region-misplaced":
		case "region-left-behind":
			return [[...whose, text(l10n.t("region at")), bad(addresses[0] ?? "?")]];
		case "kernel-panic":
			return finding.evidence.sources
				.slice(0, 4)
				.map((source, i) => [
					text(i === 0 ? l10n.t("in") : l10n.t("called by")),
					mono(source.function ?? "?"),
					mono(`${source.file.split("/").at(-1)}:${source.line}`),
				]);
	}
}

/** The region page by page: who has which frame, and whether they agree. */
function pairs(run: Run, pids: readonly number[], event: number, va: number, families: Families): Token[][] {
	const columns = pids.slice(0, 3).map((pid) => columnAt(run, event, pid, families));
	const region = columns.flatMap((column) => columnPage(run, column, va)?.region ?? [])[0];
	const pages = region ? Math.min(region.pages, 6) : 1;
	const start = region ? Number(region.start) : va;
	const header: Token[] = [text(l10n.t("frames"))];
	for (const [i, column] of columns.entries()) header.push(...(i > 0 ? [text("")] : []), chip(column.pid));
	const lines = Array.from({ length: pages }, (_, i): Token[] => {
		const line: Token[] = [text(l10n.t("page {0}", i + 1))];
		let before: number | undefined;
		for (const [k, column] of columns.entries()) {
			const frame = columnPage(run, column, start + i * pageBytes)?.frame;
			const both = frame !== undefined && before !== undefined;
			if (k > 0) line.push(both ? { kind: "sign", same: before === frame } : text(""));
			line.push({ kind: "frame", frame, pid: column.pid });
			before = frame;
		}
		return line;
	});
	return [header, ...lines];
}

function pteNow(run: Run, event: number, pid: number, va: number, families: Families): string {
	const page = columnPage(run, columnAt(run, event, pid, families), va);
	return page?.permissions ?? l10n.t("V is 0");
}

function word(value: number): string {
	return (value >>> 0).toString(16).padStart(8, "0");
}

function entryOf(run: Run, id: number): LogEntry | undefined {
	return run.model.log.find((entry) => entry.id === id);
}

// ---- what the verdict knows ----------------------------------------------------------------------------------------

function verdictCards(model: KernelModel, info: RunInfo | undefined, cards: readonly Card[]): Card[] {
	const diagnoses = (info?.diagnoses ?? []).map(diagnosisCard);
	if (!info || info.outcome === "passed") return diagnoses;
	const made = info.explanations.slice(0, 3).map(
		({ text: why, look }, i): Card => ({
			...plainCard,
			key: `explanation ${i}`,
			title: i === 0 ? l10n.t("Why it failed") : l10n.t("It may also be this"),
			sentence: look ? l10n.t("{0} Look at: {1}", why, look) : why,
		}),
	);
	const told =
		diagnoses.some(({ severity }) => severity === "error") || cards.some(({ key }) => key.startsWith("kernel-panic"));
	if (!told && model.diagnosis !== undefined) made.push(textCard(model.diagnosis));
	const hangs = info.end === "timeout" || info.end === "stuck" || info.end === "stall";
	if (hangs && !told) made.push(hangCard(model, info));
	return [...made, ...diagnoses];
}

const plainCard = { severity: "error" as const, sources: [], log: [], picture: [], facts: [] };

const kinds: Readonly<Record<DiagnosisKind, () => string>> = {
	panic: () => l10n.t("The kernel panicked"),
	"lock-panic": () => l10n.t("The kernel panicked over a lock"),
	"page-table-panic": () => l10n.t("The kernel panicked over a page table"),
	"kernel-fault": () => l10n.t("The kernel itself made an access that faults"),
	"user-fault": () => l10n.t("A program was killed for an access"),
	"exit-status": () => l10n.t("A program exited with a status other than 0"),
	"trap-loop": () => l10n.t("The same trap comes again and again"),
	"interrupt-not-completed": () => l10n.t("An interrupt was claimed and never completed"),
	"no-device-interrupt": () => l10n.t("No hart takes the interrupt of a device"),
	"lock-spin": () => l10n.t("A lock is never released"),
	deadlock: () => l10n.t("Two holders of locks wait for each other"),
	sleeper: () => l10n.t("A process sleeps, and nobody will wake it"),
	zombie: () => l10n.t("A process ended, and nobody waits for it"),
	"no-progress": () => l10n.t("Nothing happens but timer ticks"),
	"no-pmp": () => l10n.t("This kernel would hang on hardware that enforces PMP"),
	"unknown-syscall": () => l10n.t("The kernel does not know a system call"),
	"freed-in-use": () => l10n.t("A frame was freed while somebody has it mapped"),
	"free-list": () => l10n.t("The list of free frames is damaged"),
	"lost-memory": () => l10n.t("Frames are lost"),
};

function diagnosisCard(diagnosis: Diagnosis, i: number): Card {
	const { kind, severity, cause, said, evidence, frames, look, process, during } = diagnosis;
	const who = process ? l10n.t("process {0} ({1})", process.pid, process.name) : "";
	return {
		key: `diagnosis ${i}`,
		severity: severity === "error" ? "error" : "info",
		title: kinds[kind](),
		sentence: cause,
		picture: frames
			.slice(0, 6)
			.map(({ name, file, line }, k) => [
				text(k === 0 ? l10n.t("in") : l10n.t("called by")),
				mono(name),
				mono(file === undefined ? "" : `${file.split("/").at(-1)}:${line ?? 0}`),
			]),
		facts: [
			...(said === undefined ? [] : [l10n.t("The kernel said: {0}", said)]),
			...(who || during ? [[who, during].filter(Boolean).join(", ")] : []),
			...evidence,
		],
		sources: look ? [look] : [],
		log: [],
		ofPanic: panics.has(kind),
	};
}

/** Diagnoses that a kernel's panic can have. */
const panics: ReadonlySet<DiagnosisKind> = new Set(["panic", "lock-panic", "page-table-panic", "kernel-fault"]);

/** The model's own text of it: its first line is the cause, what follows are facts. */
function textCard(diagnosis: string): Card {
	const [first = "", ...rest] = diagnosis.split("\n");
	return {
		...plainCard,
		key: "diagnosis text",
		title: l10n.t("Why the run ended"),
		sentence: first.replace(/^(cause|note): /, ""),
		facts: rest.map((line) => line.trim()),
	};
}

/** What every hart and process was at when the run was given up. */
function hangCard(model: KernelModel, info: RunInfo): Card {
	const harts = model.harts.map((hart): Token[] => [
		text(l10n.t("hart {0}", hart.id)),
		hart.pid > 0 ? chip(hart.pid) : text(hart.waiting ? l10n.t("waits (wfi)") : l10n.t("scheduler")),
		mono(
			hart.source
				? `${hart.source.function ?? ""} ${hart.source.file.split("/").at(-1)}:${hart.source.line}`.trim()
				: hart.pc,
		),
	]);
	const asleep = model.processes
		.filter(({ state, sleepsOn }) => state === "SLEEPING" && sleepsOn !== undefined)
		.slice(0, 5)
		.map(({ pid, sleepsOn }): Token[] => [text(l10n.t("sleeps")), chip(pid), mono(l10n.t("on {0}", sleepsOn ?? ""))]);
	const sources = model.harts.flatMap(({ source, waiting }) => (source && !waiting ? [source] : []));
	return {
		key: "hang",
		severity: "error",
		title:
			info.end === "stuck"
				? l10n.t("The machine cannot continue: every hart waits, and no timer or key is due")
				: l10n.t("It did not end in its time"),
		sentence: info.reasons[0] ?? "",
		picture: [...harts, ...asleep],
		facts: [],
		sources: sources.slice(0, 2),
		log: [],
	};
}

/** `5 prodcons3`. */
export function nameOf(run: Run, pid: number): string {
	if (pid === 0) return l10n.t("kernel");
	return `${pid} ${processNames(run).get(pid) ?? ""}`.trim();
}
