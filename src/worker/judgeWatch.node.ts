import { writeSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";

/**
 * A thread that watches its own process, since the main thread of a judge may be inside a stranger's compilation or kernel for long. At
 * a limit it says which, and kills the process; nothing of it is worth tidying up.
 */
export interface JudgeWatchData {
	readonly cpuSeconds: number;
	readonly memoryMiB: number;
	/** Descriptor that the reason is written to. */
	readonly tell: number;
	/** The process that started this one. */
	readonly parent: number;
}

const lookEveryMs = 100;
const { cpuSeconds, memoryMiB, tell, parent } = workerData as JudgeWatchData;
let since = process.cpuUsage();

/** A new piece of work: it has its own time. */
parentPort?.on("message", () => {
	since = process.cpuUsage();
});

setInterval(() => {
	// Who started this process is gone.
	if (process.ppid !== parent) end("");
	const { user, system } = process.cpuUsage(since);
	if ((user + system) / 1e6 > cpuSeconds) end(`used more than ${cpuSeconds} s of processor time`);
	if (process.memoryUsage.rss() > memoryMiB * 1024 * 1024) end(`used more than ${memoryMiB} MiB of memory`);
}, lookEveryMs);

function end(why: string): void {
	try {
		writeSync(tell, why);
	} finally {
		process.kill(process.pid, "SIGKILL");
	}
}
