/** Names of system calls, as the kernel's table of handlers has them, by what they do to memory. */

/** They change an address space: marks in the log. `mmap4` is the mmap() with four arguments of labs that have one without, too. */
export const marked: ReadonlySet<string> = new Set([
	"mmap",
	"mmap4",
	"munmap",
	"fork",
	"vfork",
	"clone",
	"exec",
	"exit",
	"sbrk",
	"shmget",
	"shmat",
	"shmdt",
	"mprotect",
]);

/** They take regions away: what was there has to be read before. */
export const leaving: ReadonlySet<string> = new Set(["exit", "exec", "munmap"]);

/** A page fault, or another exception: the kernel works for the process as in a call. */
export const faultCall = "fault";
/** A call that nobody was told of: it may be any. */
export const unknownCall = "?";

/** A process inside one of these may be changing who has which frame. */
export const changing: ReadonlySet<string> = new Set([...marked, "wait", faultCall, unknownCall]);

/** They add a region, and they take one away. */
export const maps: ReadonlySet<string> = new Set(["mmap", "mmap4", "shmget", "shmat"]);
export const unmaps: ReadonlySet<string> = new Set(["munmap", "shmdt"]);

/** They make a process that shares, or copies, its parent's memory. */
const forks: ReadonlySet<string> = new Set(["fork", "vfork", "clone"]);

export function isFork(call: string): boolean {
	return forks.has(call);
}
