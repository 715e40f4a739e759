import { Emitter } from "../../common/event.ts";
import type { Finding, FindingId, SourcePoint } from "../../protocol/kernelModel.ts";
import { virtualHex } from "../sv39.ts";

export interface Evidence {
	pids?: readonly number[];
	frames?: readonly number[];
	addresses?: readonly number[];
	sources?: readonly SourcePoint[];
	log?: readonly number[];
}

/** Reports what looks wrong when it may: at once at a quiet moment, else when it is seen again. */
export type Suspect = (key: string, report: () => void) => void;

/** More findings than these help nobody. */
const maxFindings = 100;
const maxEvidence = 64;
const severities = ["error", "warning", "info"];
const rank = (finding: Finding) => severities.indexOf(finding.severity);

export const who = (process: { pid: number; name: string }) => `process ${process.pid} (${process.name})`;

/** One time that something was seen. */
interface Sighting {
	readonly instret: number;
	readonly evidence: Evidence;
}

interface Found {
	readonly finding: Finding;
	/** Those that told more than was known, in the order of guest time. */
	readonly sightings: readonly Sighting[];
}

/** What was found, each once; what is found again adds to its evidence. */
export class FindingList {
	private readonly found = new Map<string, Found>();
	private readonly firsts = new Emitter<Finding>();
	/** A finding is new. */
	readonly onFirst = this.firsts.event;

	constructor(private readonly now: () => number) {}

	/** Worst first, then in the order of guest time. */
	get sorted(): readonly Finding[] {
		return inOrder([...this.found.values()]);
	}

	/** What was known at an earlier moment. */
	at(instret: number): readonly Finding[] {
		return inOrder(this.before(instret));
	}

	/** What came after this moment has not happened. */
	cut(instret: number): void {
		const kept = this.before(instret);
		this.found.clear();
		for (const one of kept) this.found.set(`${one.finding.id} ${one.finding.key}`, one);
	}

	private before(instret: number): Found[] {
		const last = [...this.found.values()];
		return last.flatMap(({ finding, sightings }) => {
			if (finding.instret > instret) return [];
			const then = sightings.filter((sighting) => sighting.instret <= instret);
			if (then.length === sightings.length) return { finding, sightings };
			const evidence = then.reduce((sum, sighting) => merged(sum, sighting.evidence), noEvidence);
			return { finding: { ...finding, evidence }, sightings: then };
		});
	}

	has(id: FindingId): boolean {
		return [...this.found.values()].some(({ finding }) => finding.id === id);
	}

	clear(): void {
		this.found.clear();
	}

	forget(id: FindingId, key: string): void {
		this.found.delete(`${id} ${key}`);
	}

	/** `key` tells findings of one kind apart; pids, frames and addresses are data of the evidence. */
	report(id: FindingId, key: string, severity: Finding["severity"], sentence: string, e: Evidence): void {
		const known = this.found.get(`${id} ${key}`);
		if (!known && this.found.size >= maxFindings) return;
		const instret = this.now();
		const evidence = merged(known?.finding.evidence ?? noEvidence, e);
		const told = !known || sizeOf(evidence) > sizeOf(known.finding.evidence);
		const finding: Finding = {
			id,
			key,
			severity,
			sentence: known?.finding.sentence ?? sentence,
			instret: known?.finding.instret ?? instret,
			evidence,
		};
		const sightings = [...(known?.sightings ?? []), ...(told ? [{ instret, evidence: e }] : [])];
		this.found.set(`${id} ${key}`, { finding, sightings });
		if (!known) this.firsts.fire(finding);
	}
}

const noEvidence: Finding["evidence"] = { pids: [], frames: [], addresses: [], sources: [], log: [] };

function merged(before: Finding["evidence"], e: Evidence): Finding["evidence"] {
	return {
		pids: union(before.pids, e.pids),
		frames: union(before.frames, e.frames),
		addresses: union(before.addresses, e.addresses?.map(virtualHex)),
		sources: union(before.sources, e.sources),
		log: union(before.log, e.log),
	};
}

function union<T>(before: readonly T[], now: readonly T[] | undefined): readonly T[] {
	const all = [...before, ...(now ?? [])];
	return all
		.filter((item, i) => all.findIndex((other) => JSON.stringify(other) === JSON.stringify(item)) === i)
		.slice(0, maxEvidence);
}

/** Each list only grows. */
function sizeOf({ pids, frames, addresses, sources, log }: Finding["evidence"]): number {
	return pids.length + frames.length + addresses.length + sources.length + log.length;
}

function inOrder(found: readonly Found[]): readonly Finding[] {
	return found.map(({ finding }) => finding).sort((a, b) => rank(a) - rank(b) || a.instret - b.instret);
}
