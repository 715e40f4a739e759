import { readFileSync } from "node:fs";

/** Whether a process of this number runs on this machine, one of another user too. */
export function isAlive(pid: number): boolean {
	try {
		process.kill(pid, 0);
	} catch (error) {
		return (error as NodeJS.ErrnoException).code === "EPERM";
	}
	return !hasEnded(pid);
}

/** A process that was killed keeps its number until its parent waits for it; in a container without an init nobody does. See proc(5), stat. */
function hasEnded(pid: number): boolean {
	try {
		const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
		return /^ [ZXx]/.test(stat.slice(stat.lastIndexOf(")") + 1));
	} catch {
		return false; // Not Linux, or not ours to see.
	}
}
