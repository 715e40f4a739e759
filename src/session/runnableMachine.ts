import type { History, HistoryOptions } from "../machine/history.ts";
import type { Schedule } from "../machine/schedule.ts";
import type { Snapshot } from "../machine/snapshot.ts";
import type { MachineSurface } from "../machine/types.ts";

/** A machine that can be put back to an earlier moment. */
export interface RunnableMachine extends MachineSurface {
	/** A counter of layout.ts (S_*). */
	statistic(address: number): number;
	snapshot(): Snapshot;
	restore(snapshot: Snapshot): void;
	/** From the next round on harts run by this schedule; it is a part of what a snapshot keeps. */
	setSchedule(schedule: Schedule): void;
	/** From now on it can go back; see src/machine/history.ts. */
	keepHistory(options?: HistoryOptions): History;
	readonly history: History | undefined;
}
