import type { Diagnosis, DiagnosisFrame, RunEnd } from "../../protocol/diagnosis.ts";
import type { Finding } from "../../protocol/kernelModel.ts";
import type { FaultLog } from "../faultLog.ts";
import type { Look, Sources } from "../look.ts";
import { type Before, diagnose } from "./diagnose.ts";
import { Evidence } from "./evidence.ts";
import { framesOf, kernelCalls } from "./kernelCalls.ts";
import { LockReader } from "./locks.ts";
import { Recorder } from "./recorder.ts";

/** What a view lends to its diagnoses. */
interface Lent {
	readonly log: FaultLog;
	readonly findings: readonly Finding[];
	readonly killed: ReadonlyMap<number, readonly DiagnosisFrame[]>;
	readonly before: Before;
}

/** Keeps what memory does not while the machine runs, and says at the end why it ended as it did. */
export class Diagnoser {
	readonly recorder: Recorder;
	private reader: LockReader | undefined;

	constructor(private readonly sources: Sources) {
		this.recorder = new Recorder(
			sources,
			() => this.locks,
			(hart, pc) => this.calls(hart, pc),
		);
	}

	get locks(): LockReader {
		this.reader ??= new LockReader(this.sources.memory, this.sources.names);
		return this.reader;
	}

	private calls(hart: number, pc: bigint): readonly DiagnosisFrame[] {
		const state = this.sources.machine.harts[hart];
		return state ? framesOf(kernelCalls(this.sources, pc, state)) : [];
	}

	/** `file`: text of a file of the tree, where it is at hand. */
	diagnose(look: Look, end: RunEnd, lent: Lent, file: (path: string) => string | undefined): Diagnosis[] {
		const { log, findings, killed, before } = lent;
		const { sources, recorder, locks } = this;
		return diagnose(new Evidence(sources, look, recorder, locks, log, findings, killed, end, file), before);
	}
}
