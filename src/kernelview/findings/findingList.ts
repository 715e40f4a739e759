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
export const hex = (value: number) => `0x${value.toString(16)}`;

/** What was found, each once; what is found again adds to its evidence. */
export class FindingList {
	private readonly found = new Map<string, Finding>();
	private readonly firsts = new Emitter<Finding>();
	/** A finding is new. */
	readonly onFirst = this.firsts.event;

	constructor(private readonly now: () => number) {}

	/** Worst first, then in the order of guest time. */
	get sorted(): readonly Finding[] {
		return [...this.found.values()].sort((a, b) => rank(a) - rank(b) || a.instret - b.instret);
	}

	has(id: FindingId): boolean {
		return [...this.found.values()].some((finding) => finding.id === id);
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
		const merge = <T>(before: readonly T[] | undefined, now: readonly T[] | undefined): T[] => {
			const all = [...(before ?? []), ...(now ?? [])];
			return all
				.filter((item, i) => all.findIndex((other) => JSON.stringify(other) === JSON.stringify(item)) === i)
				.slice(0, maxEvidence);
		};
		const old = known?.evidence;
		const finding: Finding = {
			id,
			key,
			severity,
			sentence: known?.sentence ?? sentence,
			instret: known?.instret ?? this.now(),
			evidence: {
				pids: merge(old?.pids, e.pids),
				frames: merge(old?.frames, e.frames),
				addresses: merge(old?.addresses, e.addresses?.map(virtualHex)),
				sources: merge(old?.sources, e.sources),
				log: merge(old?.log, e.log),
			},
		};
		this.found.set(`${id} ${key}`, finding);
		if (!known) this.firsts.fire(finding);
	}
}
