import type { Disposable } from "../common/disposable.ts";
import type { DiskListener } from "../machine/devices/virtioBlock.ts";
import type { ExecutedCode } from "../machine/executed.ts";
import type { History, HistoryOptions } from "../machine/history.ts";
import type { NetworkPort } from "../machine/network/types.ts";
import type { Schedule } from "../machine/schedule.ts";
import type { Snapshot } from "../machine/snapshot.ts";
import type { Hook, MachineSurface } from "../machine/types.ts";

/** A machine that can be put back to an earlier moment. */
export interface RunnableMachine extends MachineSurface {
	/** A counter of layout.ts (S_*). */
	statistic(address: number): number;
	snapshot(): Snapshot;
	restore(snapshot: Snapshot): void;
	/** From the next round on harts run by this schedule; it is a part of what a snapshot keeps. */
	setSchedule(schedule: Schedule): void;
	/** Costs nothing until a hart gets to this virtual pc. */
	addHook(pc: bigint, hook: Hook): Disposable;
	/** Requests to the disk in slot 0, and which of them fail. */
	watchDisk(listener: DiskListener): Disposable;
	/** Undefined: the core of this machine does not tell. */
	readonly executed: ExecutedCode | undefined;
	/** The disk as the guest left it, as long as the image that it was made from. */
	disk(): Uint8Array;
	/** Of a recorded run that has ended: it continues from here as any machine does. */
	takeOver(): void;
	stateHash(): string;
	/** From now on it can go back; see src/machine/history.ts. */
	keepHistory(options?: HistoryOptions): History;
	readonly history: History | undefined;
	/** Absent: it has no network card. */
	readonly network?: NetworkPort | undefined;
}
